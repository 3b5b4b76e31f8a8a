import type { Finding } from '../../core/index.ts';
import { finding } from '../rules.ts';
import { tail, untilHealthy } from '../startup.ts';
import type { Check, Probe } from '../types.ts';

/** Starts a container with changed variables and returns its start-up finding, under another rule's name. */
async function mustBeHealthy(
  probe: Probe,
  rule: string,
  subject: string,
  changes: Readonly<Record<string, string>>,
): Promise<Finding[]> {
  const running = await probe.start(changes);
  try {
    const answer = await untilHealthy(probe, running, subject);
    if (typeof answer === 'number') return [];
    const found = answer.message.slice(answer.message.indexOf(', found ') + ', found '.length);
    return [finding(probe.settings, rule, subject, 'a healthy runner', found)];
  } finally {
    await end(probe, running);
  }
}

/** Keeps the log for the last check, then removes the container. */
async function end(probe: Probe, running: Awaited<ReturnType<Probe['start']>>): Promise<void> {
  probe.logs.push({ container: running.name, text: await running.logs().catch(() => '') });
  await running.remove();
}

export const otherPort: Check = {
  id: 'agui-port',
  check: (probe) => mustBeHealthy(probe, 'agui-port', 'AGUI_PORT=18001', { AGUI_PORT: '18001' }),
};

export const bridges: Check = {
  id: 'bridge',
  async check(probe) {
    const findings: Finding[] = [];
    // One after the other: each imports a whole agent SDK, and the times must mean something.
    for (const type of probe.settings.runnerTypes.filter((one) => one !== probe.injected['RUNNER_TYPE']))
      findings.push(...(await mustBeHealthy(probe, 'bridge', `RUNNER_TYPE=${type}`, { RUNNER_TYPE: type })));
    return findings;
  },
};

export const unknownType: Check = {
  id: 'unknown-runner-type',
  async check(probe) {
    const type = `no-such-runner-${probe.run}`;
    const running = await probe.start({ RUNNER_TYPE: type });
    const subject = 'an unknown RUNNER_TYPE';
    try {
      const code = await running.wait(probe.settings.startupTimeout, probe.signal);
      if (code === undefined)
        return [finding(probe.settings, 'unknown-runner-type', subject, 'the runner to exit', 'one that goes on')];
      if (code === 0) return [finding(probe.settings, 'unknown-runner-type', subject, 'a non-zero exit code', '0')];
      if ((await running.logs()).includes(type)) return [];
      const found = `exit code ${code}${await tail(probe, running)}`;
      return [finding(probe.settings, 'unknown-runner-type', subject, `a message that names ${type}`, found)];
    } finally {
      await end(probe, running);
    }
  },
};
