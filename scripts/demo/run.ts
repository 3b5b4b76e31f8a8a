import { spawn, type ChildProcess } from 'node:child_process';
import { join, relative, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../..');
const bold = process.stdout.isTTY ? (text: string) => `\u001b[1m${text}\u001b[0m` : (text: string) => text;
const running = new Set<ChildProcess>();

export const tell = (text: string): void => void process.stdout.write(text);

/** stop ends whatever the demo started, then the demo. */
export function stop(code: number): never {
  for (const child of running) child.kill('SIGTERM');
  process.exit(code);
}

/** A path as somebody in the project's folder would type it. */
export const here = (path: string): string => relative(root, path);

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  /** As it is typed; the program and its arguments otherwise. */
  readonly shown?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Answers that say nothing to a reader, e.g. a whole SBOM. */
  readonly silent?: boolean | undefined;
  /** The exit code that shows the step went well. */
  readonly expected?: number | undefined;
}

/** service starts what outlives the demo, as the lab does; the promise ends when it did not start, or has ended. */
export function service({ program, args }: Pick<Command, 'program' | 'args'>): Promise<void> {
  const child = spawn(program, args, { cwd: root, stdio: 'ignore', detached: true });
  child.unref();
  return new Promise((ended) => {
    child.once('error', () => {
      ended();
    });
    child.once('close', () => {
      ended();
    });
  });
}

function environmentShown(env: Readonly<Record<string, string>> = {}): string {
  return Object.entries(env)
    .map(([name, value]) => `${name}='${value}' `)
    .join('');
}

/** run prints a command, runs it, and ends the demo when it does not end as expected. */
export async function run(about: string, command: Command): Promise<void> {
  const { program, args, env, silent = false, expected = 0 } = command;
  const shown = command.shown ?? [program, ...args].join(' ');
  const line = `${environmentShown(env)}${shown}${silent ? ' > /dev/null' : ''}`;
  tell(`\n${bold(`# ${about}`)}\n$ ${line}\n`);
  const started = Date.now();
  const child = spawn(program, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['inherit', silent ? 'ignore' : 'inherit', 'inherit'],
  });
  running.add(child);
  const code = await new Promise<number | undefined>((done) => {
    child.once('error', () => {
      done(undefined);
    });
    child.once('close', (status) => {
      done(status ?? undefined);
    });
  });
  running.delete(child);
  if (code !== expected) {
    const wanted = expected === 0 ? '' : ` instead of ${expected}`;
    tell(`\nThe demo stopped: ${shown} exited with ${code ?? 'a signal'}${wanted}.\n`);
    stop(code === undefined || code === 0 ? 1 : code);
  }
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  tell(expected === 0 ? `(${seconds} s)\n` : `(exit code ${expected}, as it must be; ${seconds} s)\n`);
}

export const runnerImage = (
  about: string,
  args: readonly string[],
  options: Pick<Command, 'env' | 'expected'> = {},
): Promise<void> =>
  run(about, {
    program: process.execPath,
    args: [join(root, 'bin/runner-image.mjs'), ...args],
    shown: `runner-image ${args.join(' ')}`,
    ...options,
  });
