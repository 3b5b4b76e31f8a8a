import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '../../src/errors/index.ts';
import type { Command, Measurement } from './types.ts';

const gnuTime = '/usr/bin/time';
const maxStdout = 16 * 1024 * 1024;
const maxStderr = 4000;

/** What measures memory here: GNU time, whose one getrusage call costs the run nothing. */
export const memoryTool: string | undefined = existsSync(gnuTime) ? gnuTime : undefined;

interface Ended {
  readonly seconds: number;
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A buffer of the last bytes only: a tool may print a line for each of 200,000 files. */
class Tail {
  private chunks: Buffer[] = [];
  private size = 0;
  private readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  push(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.size += chunk.length;
    while (this.size - (this.chunks[0]?.length ?? 0) >= this.limit) this.size -= this.chunks.shift()?.length ?? 0;
  }

  text(): string {
    return Buffer.concat(this.chunks).toString('utf8');
  }
}

/** Roots that the machine adds for TLS, which nothing here speaks, would cost Node 0.05 s at every start. */
const environment: Readonly<Record<string, string | undefined>> = { ...process.env, NODE_EXTRA_CA_CERTS: undefined };

async function timed(argv: readonly string[], command: Command, signal: AbortSignal): Promise<Ended> {
  const [program = '', ...args] = argv;
  const stdout = new Tail(maxStdout);
  const stderr = new Tail(maxStderr);
  const started = performance.now();
  return await new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: command.cwd ?? '/',
      env: { ...environment, ...command.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that a pipeline ends as a whole.
      detached: true,
    });
    const stop = (): void => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
    };
    signal.addEventListener('abort', stop, { once: true });
    let seconds = 0;
    child.once('error', reject);
    child.once('exit', () => (seconds = (performance.now() - started) / 1000));
    child.stdout.on('data', (chunk: Buffer) => {
      stdout.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr.push(chunk);
    });
    child.once('close', (code) => {
      signal.removeEventListener('abort', stop);
      resolve({ seconds, code: code ?? 1, stdout: stdout.text(), stderr: stderr.text() });
    });
  });
}

/**
 * measure runs a command once. Time is the wall clock from before its start to its exit. Throws
 * `bench/failed` with what it said when it exits otherwise than it should.
 */
export async function measure(command: Command, signal: AbortSignal): Promise<Measurement> {
  signal.throwIfAborted();
  const directory = await mkdtemp(join(tmpdir(), 'runner-image-bench-'));
  try {
    const report = join(directory, 'rss');
    const watched = memoryTool === undefined ? [] : [memoryTool, '--quiet', '--format', '%M', '--output', report];
    const { seconds, code, stdout, stderr } = await timed([...watched, ...command.argv], command, signal);
    signal.throwIfAborted();
    if (!(command.accepts ?? [0]).includes(code)) {
      throw new AppError('bench/failed', 'machine', `${command.argv[0].split('/').at(-1) ?? ''} failed`, {
        expected: `${command.argv.join(' ').slice(0, 400)} to exit with ${(command.accepts ?? [0]).join(' or ')}`,
        found: `${code}: ${stderr.trim().slice(-600)}`,
      });
    }
    const kilobytes = memoryTool === undefined ? NaN : Number((await readFile(report, 'utf8')).trim());
    return { seconds, stdout, ...(Number.isFinite(kilobytes) ? { peakBytes: kilobytes * 1024 } : {}) };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
