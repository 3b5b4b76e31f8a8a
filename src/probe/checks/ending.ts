import { finding } from '../rules.ts';
import type { Check } from '../types.ts';

/** After the runs: a child that no process waited for stays in the process table as a zombie. */
export const zombies: Check = {
  id: 'zombies',
  async check(probe) {
    // A child that has just ended is a zombie until its parent is scheduled: only lasting ones count.
    const defunct = async () => (await probe.runner.processes()).filter(({ state }) => state === 'Z');
    const first = await defunct();
    if (first.length === 0) return [];
    await probe.host.clock.sleep(1000, probe.signal);
    const second = new Set((await defunct()).map(({ pid }) => pid));
    return first
      .filter(({ pid }) => second.has(pid))
      .map(({ command }) => finding(probe.settings, 'zombies', 'processes after the runs', 'no zombie', command));
  },
};

/** The last one on the shared container: afterwards it is gone. */
export const sigterm: Check = {
  id: 'sigterm',
  async check(probe) {
    await probe.runner.signal('SIGTERM');
    const code = await probe.runner.wait(probe.settings.gracePeriod, probe.signal);
    const expected = `the container to end within ${probe.settings.gracePeriod / 1000} s`;
    if (code === undefined) return [finding(probe.settings, 'sigterm', 'SIGTERM', expected, 'one that goes on')];
    // 143 is 128 + SIGTERM: the runner ended by the signal itself, or handed its status on.
    if (code === 0 || code === 143) return [];
    return [finding(probe.settings, 'sigterm', 'SIGTERM', 'exit code 0 or 143', String(code))];
  },
};

export const secretsInLogs: Check = {
  id: 'logged-secret',
  async check(probe) {
    const shared = { container: probe.runner.name, text: await probe.runner.logs() };
    return [...probe.logs, shared].flatMap(({ container, text }) =>
      Object.entries(probe.secrets)
        .filter(([, value]) => text.includes(value))
        .map(([name]) =>
          finding(probe.settings, 'logged-secret', name, 'no log with its value', `it in the log of ${container}`),
        ),
    );
  },
};
