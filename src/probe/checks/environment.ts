import { finding } from '../rules.ts';
import { Unobserved, type Check } from '../types.ts';

/** Every process: its number and command line, \u0002, its environment, \u0001. All NUL-separated inside. */
const script = `for p in /proc/[0-9]*; do cat "$p/cmdline" 2>/dev/null && printf '\\002' && cat "$p/environ" 2>/dev/null; printf '\\001'; done`;

/** parseProcesses turns the script's output into command line and variables. */
export function parseProcesses(output: string): { command: string; env: ReadonlyMap<string, string> }[] {
  return output.split('\u0001').flatMap((part) => {
    const [command, environment] = part.split('\u0002');
    if (command === undefined || environment === undefined || environment === '') return [];
    const env = environment.split('\0').flatMap((line): [string, string][] => {
      const equals = line.indexOf('=');
      return equals === -1 ? [] : [[line.slice(0, equals), line.slice(equals + 1)]];
    });
    return [{ command: command.replaceAll('\0', ' ').trim(), env: new Map(env) }];
  });
}

/** What the runner's own process was started with: /proc/<pid>/environ, not what the engine was asked for. */
export const environment: Check = {
  id: 'injected-env',
  async check(probe) {
    const output = await probe.runner.exec(['/bin/sh', '-c', script], probe.settings.requestTimeout);
    const server = parseProcesses(output).findLast(({ command }) => /\buvicorn\b|main:app|main\.py/.test(command));
    if (server === undefined)
      throw new Unobserved('no process of the container looks like the runner (uvicorn, main:app or main.py)');
    return Object.entries(probe.injected).flatMap(([name, value]) => {
      const found = server.env.get(name);
      if (found === value) return [];
      const secret = name in probe.secrets;
      const sides = secret
        ? ['the injected value', found === undefined ? 'none' : 'another']
        : [value, found ?? 'none'];
      return [finding(probe.settings, 'injected-env', name, sides[0] ?? '', sides[1] ?? '')];
    });
  },
};
