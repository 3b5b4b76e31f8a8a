import { AppError } from '../errors/index.ts';
import { takeLock, type FileLock } from '../host/index.ts';
import { host } from './host.ts';

const words = { room: 'lab', holder: 'command', doing: 'starting or stopping the lab' };
/** Milliseconds: the first start of a lab fetches and builds for minutes. */
const longest = 15 * 60_000;

async function take(path: string, until: number): Promise<FileLock> {
  for (;;) {
    try {
      return await takeLock(host, path, words);
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'lab/locked') || Date.now() > until) throw error;
      await host.clock.sleep(200);
    }
  }
}

/** withLock lets one process at a time change the lab; the others wait. Throws `lab/locked` after 15 minutes. */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const lock = await take(path, Date.now() + longest);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}
