import type { Readable } from 'node:stream';
import { AppError } from '../errors/index.ts';
import type { Environment } from '../host/index.ts';
import { host } from './host.ts';

export interface RunOptions {
  readonly cwd?: string | undefined;
  readonly env?: Environment | undefined;
  readonly input?: string | Readable | undefined;
}

/**
 * run executes one command to its end and returns its stdout, 16 MiB at most. Throws `lab/command` when it exits with
 * anything but 0, and `host/command-missing` when it is not installed.
 */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const env = { LC_ALL: 'C.UTF-8', ...options.env };
  const { exitCode, stdout, stderr } = await host.exec(command, args, { ...options, env });
  if (exitCode === 0) return stdout;
  throw new AppError('lab/command', 'machine', `${command} failed in the lab`, {
    expected: `${[command, ...args].join(' ').slice(0, 300)} to exit with 0`,
    found: `exit code ${exitCode}: ${stderr.trim().slice(-2000)}`,
  });
}

/** succeeds returns whether the command exits with 0; its output is of no interest. */
export async function succeeds(command: string, args: readonly string[]): Promise<boolean> {
  return run(command, args).then(
    () => true,
    () => false,
  );
}
