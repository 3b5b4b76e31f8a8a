import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { lockLayout } from '../../src/flows/built.ts';
import { fakeHost } from '../support/fake-host.ts';
import { temporaryDirectory } from '../oci/support.ts';

const host = fakeHost();
const target = () => join(temporaryDirectory(), 'dist');

describe('two builds into the same layout', () => {
  test('the second is told which process holds it, and may come when the first is done', async () => {
    const directory = target();
    const first = await lockLayout(host, directory);
    await expect(lockLayout(host, directory)).rejects.toMatchObject({
      code: 'oci/locked',
      facts: { found: expect.stringContaining(`process ${process.pid}, since 2026-`) as string },
    });
    await first.assertHeld();
    await first.release();
    const second = await lockLayout(host, directory);
    await second.release();
    expect(existsSync(`${directory}.lock`)).toBe(false);
    expect(readdirSync(join(directory, '..'))).toEqual([]);
  });

  test('of many that start together exactly one wins', async () => {
    const directory = target();
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => lockLayout(host, directory)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(readdirSync(join(directory, '..'))).toEqual(['dist.lock']);
  });

  const leave = (directory: string, holder: object) => {
    mkdirSync(`${directory}.lock`);
    writeFileSync(join(`${directory}.lock`, 'holder.json'), JSON.stringify({ since: 'then', nonce: 'n', ...holder }));
  };

  test('a lock whose process is gone is taken over, and the progress says so', async () => {
    const directory = target();
    const { pid } = spawnSync('true');
    leave(directory, { pid, host: hostname() });
    const telling = fakeHost();
    const lock = await lockLayout(telling, directory);
    expect(telling.told).toEqual([`warning: removed the lock of a build that is gone (process ${pid})`]);
    await lock.release();
  });

  test('a lock of another machine is believed', async () => {
    const directory = target();
    leave(directory, { pid: 1, host: 'elsewhere' });
    await expect(lockLayout(host, directory)).rejects.toMatchObject({
      facts: { found: 'process 1 on elsewhere, since then' },
    });
  });

  test('whoever lost the lock notices before writing', async () => {
    const directory = target();
    const lock = await lockLayout(host, directory);
    await host.files.remove(`${directory}.lock`);
    await expect(lock.assertHeld()).rejects.toMatchObject({ code: 'oci/lock-lost' });
  });

  test('a lock whose process id was given to another process is taken over', async () => {
    const directory = target();
    // This process runs under the id, and began at another time than the holder.
    leave(directory, { pid: process.pid, host: hostname(), started: 'another-boot 1' });
    const lock = await lockLayout(host, directory);
    await lock.assertHeld();
    await lock.release();
  });

  test('a holder that was killed with -9 is replaced at once, also before its parent has reaped it', async () => {
    const directory = target();
    // A shell that starts a child and never waits for it: after the kill the child stays as a zombie.
    const parent = spawn('sh', ['-c', 'sleep 600 & echo $!; exec sleep 600']);
    const pid = await new Promise<number>((resolve) => parent.stdout.once('data', (text) => resolve(Number(text))));
    leave(directory, { pid, host: hostname() });
    await expect(lockLayout(host, directory)).rejects.toMatchObject({ code: 'oci/locked' });
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => spawnSync('ps', ['-o', 'stat=', '-p', String(pid)]).stdout.toString()).toMatch(/^(?:Z|$)/);
    const lock = await lockLayout(host, directory);
    await lock.release();
    parent.kill('SIGKILL');
  });

  test('what a killed process left beside the lock is removed by the next holder', async () => {
    const directory = target();
    const { pid } = spawnSync('true');
    mkdirSync(`${directory}.lock.abc`);
    writeFileSync(`${directory}.lock.abc/holder.json`, JSON.stringify({ pid, host: hostname() }));
    const lock = await lockLayout(host, directory);
    await lock.release();
    expect(readdirSync(join(directory, '..'))).toEqual([]);
  });
});
