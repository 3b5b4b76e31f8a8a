import { createHost, type Clock, type ExecOptions, type ExecResult, type Host } from '../../src/host/index.ts';

export interface FakeHost extends Host {
  /** Every line that was said, warned or stepped. */
  readonly told: string[];
  readonly slept: number[];
  /** Moves the fake clock. */
  advance(milliseconds: number): void;
}

/**
 * fakeHost is the real host (files in a temporary place are real files) with a clock that never
 * waits, progress kept in memory and, where given, scripted commands and environment.
 */
export function fakeHost(
  overrides: Partial<Host> & {
    readonly now?: Date;
    readonly run?: (command: string, args: readonly string[], options: ExecOptions) => Promise<ExecResult>;
  } = {},
): FakeHost {
  const real = createHost({ quiet: true });
  const told: string[] = [];
  const slept: number[] = [];
  let now = (overrides.now ?? new Date('2026-01-02T03:04:05Z')).getTime();
  const clock: Clock = {
    now: () => new Date(now),
    sleep: async (milliseconds, signal) => {
      signal?.throwIfAborted();
      slept.push(milliseconds);
      now += milliseconds;
    },
  };
  const { run, now: _now, ...rest } = overrides;
  return {
    ...real,
    env: {},
    clock,
    progress: {
      say: (line) => void told.push(line),
      show: (text) => void told.push(text),
      warn: (text) => void told.push(`warning: ${typeof text === 'string' ? text : text.join('\n')}`),
      task: (title) => ({
        step: (text) => void told.push(`${title}: ${text}`),
        done: (text) => void told.push(`done ${title}${text === undefined ? '' : `: ${text}`}`),
        fail: (text) => void told.push(`failed ${title}${text === undefined ? '' : `: ${text}`}`),
      }),
    },
    ...(run === undefined ? {} : { exec: (command, args, options = {}) => run(command, args, options) }),
    ...rest,
    told,
    slept,
    advance: (milliseconds) => void (now += milliseconds),
  };
}
