import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../errors/index.ts';

async function holderLives(directory: string): Promise<boolean> {
  const pid = Number(await readFile(join(directory, 'pid'), 'utf8').catch(() => '0'));
  // Between mkdir and the write of its id a holder has none yet.
  if (pid === 0) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** withLock lets one process at a time change the lab; a holder that died is not waited for. */
export async function withLock<T>(directory: string, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(directory), { recursive: true });
  const deadline = Date.now() + 15 * 60_000;
  for (;;) {
    const got = await mkdir(directory).then(
      () => true,
      () => false,
    );
    if (got) break;
    if (!(await holderLives(directory))) await rm(directory, { recursive: true, force: true });
    else if (Date.now() > deadline)
      throw new AppError('lab/locked', 'machine', 'another process keeps the lab locked', {
        where: { file: directory },
        hint: 'wait for it, or remove the directory if nothing runs',
      });
    else await sleep(100);
  }
  await writeFile(join(directory, 'pid'), String(process.pid));
  try {
    return await work();
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
