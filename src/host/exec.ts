import { spawn, type SpawnOptions } from 'node:child_process';
import { existsSync } from 'node:fs';
import { finished } from 'node:stream/promises';
import { StringDecoder } from 'node:string_decoder';
import type { ExecOptions, ExecResult } from './types.ts';
import { AppError } from '../errors/index.ts';

const defaultMaxBytes = 16 * 1024 * 1024;

function mergeEnv(extra: ExecOptions['env']): Record<string, string> {
  const merged = { ...process.env, ...extra };
  return Object.fromEntries(
    Object.entries(merged).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/**
 * exec runs one command through zx, which would hand it to a shell: what zx starts here is the command itself,
 * with the arguments as they are, so that there is nothing to quote and nothing in the environment (ZX_*)
 * that could change what runs. A command that cannot be started throws `host/command-missing`; a non-zero
 * exit is a result, since only the caller knows what it means.
 */
export async function exec(command: string, args: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
  const { $ } = await import('zx/core');
  const limit = options.maxBytes ?? defaultMaxBytes;
  let unstarted: NodeJS.ErrnoException | undefined;
  const run = $({
    spawn: ((_line: string, _none: readonly string[], given: SpawnOptions) => {
      const child = spawn(command, args, { ...given, shell: false });
      // One that was started and then aborted says so here, too.
      return child.once('error', (error) => (unstarted = child.pid === undefined ? error : undefined));
    }) as typeof spawn,
    // Looked at by zx, used by nobody.
    shell: '/bin/sh',
    quote: (text: string) => text,
    quiet: true,
    verbose: false,
    nothrow: true,
    env: mergeEnv(options.env),
    // zx would keep a second copy of everything: an image of a gigabyte passes through here.
    ...(options.stdout === undefined
      ? {}
      : { store: { stdout: new Discarding(), stderr: [], stdall: new Discarding() } }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.input === undefined ? {} : { input: options.input }),
    ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  })`${command} ${args}`;
  const stdout = new Collector(limit, () => void run.kill());
  const stderr = new LineReader(options.onStderrLine);
  // A command may end without reading all its input; its exit code says what that means.
  if (options.input !== undefined) run.stdin.on('error', () => undefined);
  run.stderr.on('data', (chunk: Buffer) => {
    stderr.push(chunk);
  });
  if (options.stdout === undefined)
    run.stdout.on('data', (chunk: Buffer) => {
      stdout.push(chunk);
    });
  else run.stdout.pipe(options.stdout);
  const written = options.stdout === undefined ? undefined : finished(options.stdout);
  // Observed below; until then a failing writer must not count as unhandled.
  written?.catch(() => undefined);
  const output = await run;
  await written;
  stderr.end();
  if (unstarted?.code === 'ENOENT' && (options.cwd === undefined || existsSync(options.cwd))) {
    throw new AppError('host/command-missing', 'machine', `${command} is not installed`, {
      expected: `${command} on PATH`,
      hint: 'runner-image doctor says which package brings it',
    });
  }
  if (unstarted !== undefined)
    throw new AppError('host/command', 'machine', `${command} could not be started`, {
      found: unstarted.code ?? unstarted.message,
      ...(options.cwd === undefined ? {} : { where: { file: options.cwd } }),
      cause: unstarted,
    });
  if (stdout.overflow) {
    throw new AppError('host/output-too-large', 'upstream', `${command} printed more than ${limit} bytes`);
  }
  return { exitCode: output.exitCode ?? 1, stdout: stdout.text(), stderr: stderr.text };
}

/** An array that forgets what is pushed: what zx stores nothing in. */
class Discarding extends Array<string | Buffer> {
  override push(): number {
    return 0;
  }
}

class Collector {
  overflow = false;
  private readonly chunks: Buffer[] = [];
  private size = 0;
  private readonly limit: number;
  private readonly onOverflow: () => void;

  constructor(limit: number, onOverflow: () => void) {
    this.limit = limit;
    this.onOverflow = onOverflow;
  }

  push(chunk: Buffer): void {
    this.size += chunk.length;
    if (this.size <= this.limit) this.chunks.push(chunk);
    else if (!this.overflow) {
      this.overflow = true;
      this.onOverflow();
    }
  }

  text(): string {
    return Buffer.concat(this.chunks).toString('utf8');
  }
}

/** Text that comes in pieces, which may end within a character: zx decodes each piece by itself. */
class LineReader {
  text = '';
  private rest = '';
  private readonly decoder = new StringDecoder('utf8');
  private readonly onLine: ((line: string) => void) | undefined;

  constructor(onLine: ((line: string) => void) | undefined) {
    this.onLine = onLine;
  }

  push(chunk: Buffer): void {
    this.take(this.decoder.write(chunk));
  }

  end(): void {
    this.take(this.decoder.end());
    if (this.rest !== '') this.onLine?.(this.rest);
  }

  private take(piece: string): void {
    this.text += piece;
    if (this.onLine === undefined) return;
    const lines = (this.rest + piece).split('\n');
    this.rest = lines.pop() ?? '';
    lines.forEach(this.onLine);
  }
}
