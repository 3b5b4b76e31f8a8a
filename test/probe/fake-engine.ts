import type { ContainerEngine, ContainerSpec, Process, Running } from '../../src/probe/index.ts';
import { listen, makeRunner, type Fault } from './runner.ts';

export interface FakeEngine extends ContainerEngine {
  readonly specs: ContainerSpec[];
  /** Containers that are there now. */
  readonly alive: Set<string>;
}

interface Faults {
  /** Of the runner's HTTP. */
  readonly http?: readonly Fault[];
  /** Of the container: see the code. */
  readonly container?: readonly string[];
}

/** fakeEngine starts the test's runner inside this process: real HTTP, no container. */
export function fakeEngine(faults: Faults = {}): FakeEngine {
  const has = (fault: string): boolean => faults.container?.includes(fault) === true;
  const specs: ContainerSpec[] = [];
  const alive = new Set<string>();
  const closers = new Map<string, () => void>();

  return {
    specs,
    alive,
    async start(spec) {
      specs.push(spec);
      alive.add(spec.name);
      const env: Readonly<Record<string, string>> =
        spec.entrypoint === undefined
          ? spec.env
          : Object.fromEntries(
              spec.entrypoint.slice(2).map((one) => {
                const equals = one.indexOf('=');
                return [one.slice(0, equals), one.slice(equals + 1)] as const;
              }),
            );
      const type = env['RUNNER_TYPE'] ?? '';
      const unknown = type.startsWith('no-such-runner') || (has('gemini-missing') && type === 'gemini-cli');
      const port = has('port-ignored') && spec.port !== 8001 ? undefined : spec.port;
      const server = makeRunner(faults.http ?? [], env['SESSION_ID']);
      const actual = await listen(server, 0, '127.0.0.1');
      closers.set(spec.name, () => {
        server.closeAllConnections();
        server.close();
      });
      let code: number | undefined;
      if (unknown && !has('unknown-accepted')) code = has('unknown-exits-0') ? 0 : 1;
      if (has('never-starts')) code = 3;
      const running: Running = {
        id: spec.name,
        name: spec.name,
        url: `http://127.0.0.1:${port === undefined ? 1 : actual}`,
        exitCode: async () => code,
        wait: async () => code,
        signal: async () => {
          if (!has('sigterm-ignored')) code = has('sigterm-137') ? 137 : 143;
        },
        logs: async () =>
          [
            'INFO: started',
            ...(unknown && !has('unknown-unnamed') ? [`ValueError: Unknown RUNNER_TYPE='${type}'`] : []),
            ...(has('logs-secret') ? [`key is ${env['ANTHROPIC_API_KEY'] ?? ''}`] : []),
          ].join('\n'),
        processes: async (): Promise<Process[]> => [
          { pid: 1, state: 'S', command: 'uvicorn' },
          ...(has('zombie') ? [{ pid: 7, state: 'Z', command: '[git] <defunct>' }] : []),
        ],
        exec: async () => {
          if (has('no-process')) return '';
          const seen = has('env-overridden') ? { ...env, SESSION_ID: 'fixed' } : env;
          const lines = Object.entries(seen).map(([name, value]) => `${name}=${value}\0`);
          return `sh\0\u0002A=1\0\u0001python3\0uvicorn\0main:app\0\u0002${lines.join('')}\u0001`;
        },
        remove: async () => {
          alive.delete(spec.name);
          closers.get(spec.name)?.();
        },
      };
      return running;
    },
    async removeAll() {
      const count = alive.size;
      for (const name of alive) closers.get(name)?.();
      alive.clear();
      return count;
    },
  };
}
