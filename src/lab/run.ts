import { spawn } from 'node:child_process';
import { AppError } from '../errors/index.ts';

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string | Buffer;
}

/**
 * run executes one command to its end and gives stdout as bytes. The lab's tools are Debian's own
 * and their output is small or needed whole. Throws `lab/command`; ENOENT becomes `lab/missing-tool`.
 */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, LC_ALL: 'C.UTF-8', ...options.env };
    const child = spawn(command, args, { cwd: options.cwd, env, stdio: 'pipe' });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('error', (cause) => {
      reject(
        new AppError('lab/missing-tool', 'machine', `the lab needs ${command}`, {
          hint: 'make setup installs what the lab needs',
          cause,
        }),
      );
    });
    child.on('close', (code, signal) => {
      if (code === 0) {
        resolve(Buffer.concat(out));
        return;
      }
      reject(
        new AppError('lab/command', 'machine', `${command} failed in the lab`, {
          expected: `${[command, ...args].join(' ').slice(0, 300)} to exit with 0`,
          found: `${signal ?? `exit code ${code ?? 'unknown'}`}: ${Buffer.concat(err).toString('utf8').trim().slice(-2000)}`,
        }),
      );
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
  });
}

export async function runText(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return (await run(command, args, options)).toString('utf8');
}

/** succeeds tells whether the command exits with 0; its output is of no interest. */
export async function succeeds(command: string, args: readonly string[]): Promise<boolean> {
  return run(command, args).then(
    () => true,
    () => false,
  );
}
