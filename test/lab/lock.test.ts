import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withLock } from '../../src/lab/lock.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lab-lock-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

test('two callers work one after the other', async () => {
  const lock = join(directory, 'lock');
  const steps: string[] = [];
  const work = (name: string) => async (): Promise<void> => {
    steps.push(`${name} begins`);
    await sleep(150);
    steps.push(`${name} ends`);
  };
  await Promise.all([withLock(lock, work('one')), withLock(lock, work('two'))]);
  expect(steps.map((step) => step.split(' ')[1])).toEqual(['begins', 'ends', 'begins', 'ends']);
});

test('a holder that died is not waited for', async () => {
  const lock = join(directory, 'lock');
  await mkdir(lock);
  const holder = { pid: spawnSync('true').pid, host: hostname(), since: '', nonce: 'x' };
  await writeFile(join(lock, 'holder.json'), JSON.stringify(holder));
  expect(await withLock(lock, async () => 'done')).toBe('done');
});

test('a failure frees the lock', async () => {
  const lock = join(directory, 'lock');
  await expect(withLock(lock, async () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  await expect(stat(lock)).rejects.toThrow('ENOENT');
});
