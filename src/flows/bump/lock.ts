import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';

/** Folder of a running bump, inside the project so that every rename stays on one file system. */
export const bumpFolder = '.bump';

interface Owner {
  readonly pid: number;
  /** Start time as ps prints it: a process id alone is soon used again. */
  readonly started: string;
}

async function startOf(host: Host, pid: number): Promise<string> {
  const { exitCode, stdout } = await host.exec('ps', ['-o', 'lstart=', '-p', String(pid)], { env: { LC_ALL: 'C' } });
  return exitCode === 0 ? stdout.trim() : '';
}

async function readOwner(host: Host, lock: string): Promise<Owner | undefined> {
  const path = join(lock, 'owner.json');
  if ((await host.files.stat(path))?.type !== 'file') return undefined;
  const value = JSON.parse(await host.files.readText(path, 4096)) as Partial<Owner>;
  return typeof value.pid === 'number' && typeof value.started === 'string'
    ? { pid: value.pid, started: value.started }
    : undefined;
}

async function isRunning(host: Host, { pid, started }: Owner): Promise<boolean> {
  const now = await startOf(host, pid);
  if (started === '' || now === '') return false;
  // ps computes the start anew each time, and may be a second off.
  const apart = Math.abs(Date.parse(now) - Date.parse(started));
  return now === started || apart <= 2000;
}

/** sweep removes what killed takers left beside the lock; a taker that lives tries again. */
async function sweep(host: Host, folder: string): Promise<void> {
  for (const name of await host.files.list(folder)) {
    if (!/^(?:lock|stale)-/.test(name)) continue;
    const owner = await readOwner(host, join(folder, name));
    if (owner === undefined || !(await isRunning(host, owner))) await host.files.remove(join(folder, name));
  }
}

/** tryTake: a directory that is not empty cannot be renamed over, so exactly one taker wins, owner and all. */
async function tryTake(host: Host, folder: string, owner: Owner): Promise<boolean> {
  const mine = join(folder, `lock-${randomBytes(6).toString('hex')}`);
  await host.files.write(join(mine, 'owner.json'), JSON.stringify(owner));
  try {
    await host.files.rename(mine, join(folder, 'lock'));
    return true;
  } catch (error) {
    await host.files.remove(mine);
    if (['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

/**
 * takeLock gives the function that releases the lock. A lock whose process has ended (kill -9) is
 * taken over. Throws `bump/locked` while another bump runs.
 */
export async function takeLock(host: Host, root: string): Promise<() => Promise<void>> {
  const folder = join(root, bumpFolder);
  const lock = join(folder, 'lock');
  const owner: Owner = { pid: process.pid, started: await startOf(host, process.pid) };
  for (let tries = 0; tries < 5; tries += 1) {
    if (await tryTake(host, folder, owner)) {
      await sweep(host, folder);
      return () => host.files.remove(lock);
    }
    const holder = await readOwner(host, lock);
    if (holder !== undefined && (await isRunning(host, holder)))
      throw new AppError('bump/locked', 'usage', 'another bump is running in this project', {
        found: `process ${holder.pid}, started ${holder.started}`,
        hint: 'wait for its end, then run the command again',
      });
    const stale = join(folder, `stale-${randomBytes(6).toString('hex')}`);
    await host.files.rename(lock, stale).catch(() => undefined);
    const taken = await readOwner(host, stale);
    if (taken !== undefined && holder !== undefined && taken.pid !== holder.pid)
      // Someone else was quicker and the lock is alive: it goes back.
      await host.files.rename(stale, lock).catch(() => undefined);
    else await host.files.remove(stale);
  }
  throw new AppError('bump/locked', 'usage', 'other bumps take the lock again and again', {
    hint: 'run one bump at a time',
  });
}
