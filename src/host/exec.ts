import { existsSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { $, quote, which } from 'zx/core';
import { Lines } from '../core/lines.ts';
import { timeLimit } from '../core/time-limit.ts';
import { AppError } from '../errors/index.ts';
import { childEnv } from './child-env.ts';
import type { ExecOptions, ExecResult } from './types.ts';

const defaultMaxBytes = 16 * 1024 * 1024;

/**
 * Whatever zx would take from ZX_* in the environment is said here. With `exec`, bash becomes the command:
 * no builtin or function stands in for it, and a signal reaches it. Not detached: Ctrl-C reaches it, too.
 * Scripts that are no commands of the program (demo, checks) take their `$` from here.
 */
export const shell = $({
  shell: 'bash',
  prefix: 'exec -- ',
  postfix: '',
  quote,
  quiet: true,
  verbose: false,
  nothrow: true,
  detached: false,
  preferLocal: false,
  timeout: 0,
  timeoutSignal: 'SIGTERM',
  killSignal: 'SIGTERM',
});

/**
 * exec runs one command through zx. A non-zero exit is a result, since only the caller knows what it means;
 * one that was stopped has an exit code of 1 or more. Secrets of this program are not handed down (child-env.ts).
 * Throws `host/command-missing` (exit 4), `host/command` for what cannot be started, `host/argument` for a
 * NUL in an argument, and `host/output-too-large`.
 */
export async function exec(command: string, args: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
  // The shell would end the argument there.
  if ([command, ...args].some((word) => word.includes('\0')))
    throw new AppError('host/argument', 'usage', `an argument of ${command} holds a NUL character`);
  const { cwd = process.cwd(), input = '', maxBytes = defaultMaxBytes } = options;
  const signal = options.signal ?? new AbortController().signal;
  const env = childEnv(options.env);
  const store = { stdout: new Array<Buffer>(), stderr: new Array<Buffer>(), stdall: new Array<Buffer>() };
  const running = shell({
    cwd,
    env,
    input,
    store,
    stdio: [input === '' ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    // Not zx's own timeout, which lists all processes with ps(1): that may be missing.
    signal: options.timeout === undefined ? signal : timeLimit(signal, options.timeout),
  })`${command} ${args}`;
  const { child } = running;
  const sizes = { stdout: 0, stderr: 0 };
  const lines = new Lines();
  // A command may end without reading all its input; its exit code says what that means.
  child?.stdin?.on('error', () => undefined);
  child?.stdout?.on('data', (chunk: Buffer) => {
    store.stdall.length = 0;
    if (options.stdout !== undefined) store.stdout.length = 0;
    else if ((sizes.stdout += chunk.length) > maxBytes) child.kill();
  });
  child?.stderr?.on('data', (chunk: Buffer) => {
    store.stdall.length = 0;
    sizes.stderr += chunk.length;
    // Its end says why a command failed: that is what is kept.
    while (sizes.stderr > defaultMaxBytes) sizes.stderr -= store.stderr.shift()?.length ?? 0;
    if (options.onStderrLine !== undefined) lines.push(chunk).forEach(options.onStderrLine);
  });
  const source = child?.stdout;
  const written = source != null && options.stdout !== undefined ? pipeline(source, options.stdout) : undefined;
  // Observed below; until then a failing writer must not count as unhandled.
  written?.catch(() => undefined);
  const { exitCode, cause } = await running;
  if (child?.pid === undefined) {
    options.stdout?.destroy();
    throw isErrno(cause, 'ENOENT') && existsSync(cwd) ? missing('bash') : notStarted(command, cwd, cause);
  }
  await written?.catch((error: unknown) => {
    // What was stopped leaves its stream unfinished.
    if (!isErrno(error, 'ERR_STREAM_PREMATURE_CLOSE')) throw error;
  });
  if (options.onStderrLine !== undefined) lines.end().forEach(options.onStderrLine);
  const stderr = Buffer.concat(store.stderr).toString();
  // bash's own exit codes, but a command may have them, too: only one that is not there was not started.
  if ((exitCode === 126 || exitCode === 127) && (await which(command, { path: env['PATH'], nothrow: true })) === null)
    throw exitCode === 127 ? missing(command) : notStarted(command, cwd, new Error(stderr.trim()));
  if (sizes.stdout > maxBytes)
    throw new AppError('host/output-too-large', 'upstream', `${command} printed more than ${maxBytes} bytes`);
  return { exitCode: exitCode ?? 1, stdout: Buffer.concat(store.stdout).toString(), stderr };
}

const isErrno = (cause: unknown, code: string): boolean =>
  cause instanceof Error && 'code' in cause && cause.code === code;

const missing = (command: string): AppError =>
  new AppError('host/command-missing', 'machine', `${command} is not installed`, {
    expected: `${command} on PATH`,
    hint: 'runner-image doctor says which package brings it',
  });

const notStarted = (command: string, cwd: string, cause: unknown): AppError =>
  new AppError('host/command', 'machine', `${command} could not be started`, {
    found: cause instanceof Error ? cause.message : String(cause),
    where: { file: cwd },
    cause,
  });
