import { spawn } from 'node:child_process';
import { openSync, closeSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../errors/index.ts';

/** A process id alone may be another's by now: the start time (clock ticks, proc(5)) tells. */
export interface Daemon {
  readonly name: string;
  readonly pid: number;
  readonly started: string;
  readonly log: string;
}

async function startTime(pid: number): Promise<string | undefined> {
  const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  const fields = line?.slice(line.lastIndexOf(')') + 2).split(' ');
  // State Z is a process that ended and was not yet collected by its parent.
  return fields === undefined || fields[0] === 'Z' ? undefined : fields[19];
}

export async function isAlive(daemon: Daemon): Promise<boolean> {
  return (await startTime(daemon.pid)) === daemon.started;
}

/** startDaemon detaches a process from this one and waits until `ready` says so, or its log tells why not. */
export async function startDaemon(
  name: string,
  command: string,
  args: readonly string[],
  log: string,
  ready: () => Promise<boolean>,
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv; readonly seconds?: number } = {},
): Promise<Daemon> {
  const output = openSync(log, 'w');
  const child = spawn(command, args, {
    detached: true,
    stdio: ['ignore', output, output],
    cwd: options.cwd ?? '/',
    env: options.env ?? process.env,
  });
  closeSync(output);
  const failed = new Promise<Error>((resolve) => child.once('error', resolve));
  child.unref();
  const missing = await Promise.race([failed, sleep(20, undefined)]);
  const { pid } = child;
  if (missing !== undefined || pid === undefined)
    throw new AppError('lab/missing-tool', 'machine', `the lab cannot start ${name}`, {
      expected: `${command} to be installed`,
      hint: 'make setup installs what the lab needs',
      cause: missing,
    });
  const daemon: Daemon = { name, pid, started: (await startTime(pid)) ?? 'gone', log };
  const deadline = Date.now() + (options.seconds ?? 30) * 1000;
  while (Date.now() < deadline && (await isAlive(daemon))) {
    if (await ready()) return daemon;
    await sleep(50);
  }
  await stopDaemon(daemon);
  const tail = (await readFile(log, 'utf8').catch(() => '')).trim().split('\n').slice(-10).join('\n');
  throw new AppError('lab/daemon', 'machine', `${name} did not come up`, {
    found: tail,
    hint: 'mend what the last lines say, then runner-image lab up again',
  });
}

/** stopDaemon asks, waits, and insists; a process that is gone or another's is left alone. */
export async function stopDaemon(daemon: Daemon): Promise<void> {
  for (const [signal, seconds] of [
    ['SIGTERM', 20],
    ['SIGKILL', 5],
  ] as const) {
    const deadline = Date.now() + seconds * 1000;
    if (!(await isAlive(daemon))) return;
    try {
      process.kill(daemon.pid, signal);
    } catch {
      return;
    }
    while (Date.now() < deadline && (await isAlive(daemon))) await sleep(25);
  }
}

/**
 * findDaemons gives the processes that were started for a lab, by the places that their arguments
 * name: a lab whose start was cut off has written no state, and its engine still runs.
 */
export async function findDaemons(places: readonly string[]): Promise<Daemon[]> {
  const found: Daemon[] = [];
  for (const entry of await readdir('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
    if (!words.some((word) => places.some((place) => word.includes(place)))) continue;
    const started = await startTime(pid);
    if (started !== undefined) found.push({ name: words[0] ?? '', pid, started, log: '' });
  }
  return found;
}

/** freePort keeps `preferred` where it can, so that what holds the port in it stays the same. */
export async function freePort(preferred: number): Promise<number> {
  for (const port of [preferred, 0]) {
    const server = createServer();
    const got = await new Promise<number | undefined>((resolve) => {
      server.once('error', () => {
        resolve(undefined);
      });
      server.listen(port, '127.0.0.1', () => {
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : undefined);
      });
    });
    await new Promise((resolve) => server.close(resolve));
    if (got !== undefined) return got;
  }
  throw new AppError('lab/port', 'machine', 'no free port on 127.0.0.1');
}
