import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { AppError } from '../errors/index.ts';
import { isRunning, startOf } from './running.ts';
import type { Host } from './types.ts';

interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly since: string;
  readonly nonce: string;
  /** When the process began, as `startOf` returns it; absent in a lock of an older version. */
  readonly started?: string | undefined;
}

export interface FileLock {
  /** Throws `<room>/lock-lost` when another process took the lock over: then nothing more may be written. */
  assertHeld(): Promise<void>;
  release(): Promise<void>;
}

export interface LockWords {
  /** First part of the error codes `<room>/locked` and `<room>/lock-lost`. */
  readonly room: string;
  /** Who holds it: `build`, `bump`. */
  readonly holder: string;
  /** What the holder does to what is locked, as in `another build is writing dist/x`. */
  readonly doing: string;
}

async function readHolder(host: Host, path: string): Promise<Holder | undefined> {
  try {
    const holder = JSON.parse(await host.files.readText(join(path, 'holder.json'), 4096)) as Partial<Holder> | null;
    const { pid, host: name, since, nonce, started } = holder ?? {};
    if (typeof pid !== 'number' || !Number.isInteger(pid) || pid <= 0) return undefined;
    const start = typeof started === 'string' ? started : undefined;
    return { pid, host: String(name), since: String(since), nonce: String(nonce), started: start };
  } catch {
    return undefined;
  }
}

/** Only a holder on this machine can be seen to be gone; one on another machine counts as running. */
async function isGone(host: Host, holder: Holder | undefined): Promise<boolean> {
  if (holder === undefined) return true;
  return holder.host === hostname() && !(await isRunning(host, holder.pid, holder.started));
}

/**
 * takeLock lets one process at a time do what `words` say. The lock is the directory `path` with its holder's name
 * inside: a directory can be renamed only to where none with content is, so taking it is one atomic step on every
 * file system. A holder that has ended (kill -9) is replaced at once, also where its process id was given to another
 * process since. Throws `<room>/locked` while another process holds it.
 */
export async function takeLock(host: Host, path: string, words: LockWords): Promise<FileLock> {
  const nonce = randomBytes(8).toString('hex');
  const mine = `${path}.${nonce}`;
  const started = await startOf(host, process.pid);
  const me: Holder = { pid: process.pid, host: hostname(), since: host.clock.now().toISOString(), nonce, started };
  try {
    await host.files.write(join(mine, 'holder.json'), JSON.stringify(me));
    await take(host, path, mine, words);
  } catch (error) {
    await host.files.remove(mine);
    throw error;
  }
  await sweep(host, path);
  const isMine = async (): Promise<boolean> => (await readHolder(host, path))?.nonce === nonce;
  const release = async (): Promise<void> => {
    if (await isMine()) await host.files.remove(path);
  };
  const unregister = host.onExit(release);
  return {
    async assertHeld() {
      if (await isMine()) return;
      throw new AppError(`${words.room}/lock-lost`, 'machine', `the lock ${path} was taken over or removed meanwhile`, {
        hint: `run the ${words.holder} again`,
      });
    },
    async release() {
      unregister();
      await release();
    },
  };
}

function locked(path: string, words: LockWords, holder: Holder | undefined): AppError {
  const elsewhere = holder !== undefined && holder.host !== hostname() ? ` on ${holder.host}` : '';
  return new AppError(`${words.room}/locked`, 'usage', `another ${words.holder} is ${words.doing}`, {
    found: holder === undefined ? 'an unknown process' : `process ${holder.pid}${elsewhere}, since ${holder.since}`,
    hint: `wait for it to end; if no such process runs any more, remove ${path}`,
  });
}

async function take(host: Host, path: string, mine: string, words: LockWords): Promise<void> {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      await host.files.rename(mine, path);
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
    }
    const holder = await readHolder(host, path);
    if (!(await isGone(host, holder))) throw locked(path, words, holder);
    await evict(host, path, `${mine}.stale`, words, holder);
  }
  throw locked(path, words, await readHolder(host, path));
}

/** Moves a stale lock aside; if it turns out to be a fresh one, taken in between, it is put back. */
async function evict(host: Host, path: string, aside: string, words: LockWords, stale?: Holder): Promise<void> {
  try {
    await host.files.rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const moved = await readHolder(host, aside);
  if (moved?.nonce !== stale?.nonce) {
    await host.files.rename(aside, path).catch(() => undefined);
    throw locked(path, words, moved);
  }
  host.progress.warn(`removed the lock of a ${words.holder} that is gone (process ${stale?.pid ?? 'unknown'})`);
  await host.files.remove(aside);
}

/** Removes what killed processes left beside the lock. What has no holder yet may belong to one that is starting. */
async function sweep(host: Host, path: string): Promise<void> {
  const folder = dirname(path);
  for (const name of await host.files.list(folder)) {
    if (!name.startsWith(`${basename(path)}.`)) continue;
    const holder = await readHolder(host, join(folder, name));
    if (holder !== undefined && (await isGone(host, holder))) await host.files.remove(join(folder, name));
  }
}
