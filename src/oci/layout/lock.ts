import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';

interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly since: string;
  readonly nonce: string;
}

export interface LayoutLock {
  /** Throws `oci/lock-lost` when another process took the lock over: then nothing more may be written. */
  assertHeld(): Promise<void>;
  release(): Promise<void>;
}

/** Signal 0 asks whether a process is there; EPERM says it is, under another user. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function readHolder(host: Host, path: string): Promise<Holder | undefined> {
  try {
    const holder = JSON.parse(await host.files.readText(join(path, 'holder.json'), 4096)) as Partial<Holder> | null;
    const { pid, host: name, since, nonce } = holder ?? {};
    if (typeof pid !== 'number' || !Number.isInteger(pid) || pid <= 0) return undefined;
    return { pid, host: String(name), since: String(since), nonce: String(nonce) };
  } catch {
    return undefined;
  }
}

/** Only a holder on this machine can be seen to be gone; one on another machine is believed. */
const isStale = (holder: Holder | undefined): boolean =>
  holder === undefined || (holder.host === hostname() && !isAlive(holder.pid));

function held(directory: string, holder: Holder | undefined): AppError {
  const elsewhere = holder !== undefined && holder.host !== hostname() ? ` on ${holder.host}` : '';
  return new AppError('oci/locked', 'usage', `another build is writing ${directory}`, {
    ...(holder === undefined ? {} : { found: `process ${holder.pid}${elsewhere}, since ${holder.since}` }),
    hint: `wait for it to end; if no such process runs any more, remove ${directory}.lock`,
  });
}

/**
 * lockLayout lets one build at a time write a layout. The lock is the directory
 * `<directory>.lock` holding the holder's name: a directory can be renamed into place only where
 * none with content is, which makes taking it one atomic step on every file system. A lock whose
 * process is gone is taken over. Throws `oci/locked`.
 */
export async function lockLayout(host: Host, directory: string): Promise<LayoutLock> {
  const path = `${directory}.lock`;
  const nonce = randomBytes(8).toString('hex');
  const mine = `${path}.${nonce}`;
  const me: Holder = { pid: process.pid, host: hostname(), since: host.clock.now().toISOString(), nonce };
  await host.files.makeDirectory(mine);
  try {
    await host.files.write(join(mine, 'holder.json'), JSON.stringify(me));
    await take(host, directory, path, mine);
  } catch (error) {
    await host.files.remove(mine);
    throw error;
  }
  const isMine = async () => (await readHolder(host, path))?.nonce === nonce;
  const release = async () => {
    if (await isMine()) await host.files.remove(path);
  };
  const unregister = host.onExit(release);
  return {
    async assertHeld() {
      if (await isMine()) return;
      throw new AppError('oci/lock-lost', 'machine', `the lock on ${directory} was taken over or removed meanwhile`, {
        hint: 'run the build again',
      });
    },
    async release() {
      unregister();
      await release();
    },
  };
}

async function take(host: Host, directory: string, path: string, mine: string): Promise<void> {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      await host.files.rename(mine, path);
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
    }
    const holder = await readHolder(host, path);
    if (!isStale(holder)) throw held(directory, holder);
    await evict(host, directory, path, `${mine}.stale`, holder);
  }
  throw held(directory, await readHolder(host, path));
}

/** Moves a stale lock aside; if it turns out to be a fresh one, taken in between, it is put back. */
async function evict(host: Host, directory: string, path: string, aside: string, stale?: Holder): Promise<void> {
  try {
    await host.files.rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const moved = await readHolder(host, aside);
  if (moved?.nonce !== stale?.nonce) {
    await host.files.rename(aside, path).catch(() => undefined);
    throw held(directory, moved);
  }
  host.story.warn(`removed the lock of a build that is gone (process ${stale?.pid ?? 'unknown'})`);
  await host.files.remove(aside);
}
