import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { plainBytes } from '../../src/oci/decompress.ts';
import { sha256 } from './support.ts';

/** The `zstd` command of the machine, from standard input: it cannot know the size beforehand. */
function zstd(input: Buffer, ...args: string[]): Buffer {
  const { status, stdout, error } = spawnSync('zstd', ['-q', '-c', ...args], { input, maxBuffer: 2 ** 30 });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`zstd exited with ${status ?? 'a signal'}`);
  return stdout;
}

async function digestOf(bytes: Buffer): Promise<string> {
  const source = Readable.from([bytes], { objectMode: false });
  const hash = createHash('sha256');
  const expected = { digest: sha256(bytes), size: bytes.length };
  for await (const part of plainBytes(source, 'zstd', expected)) hash.update(part);
  return `sha256:${hash.digest('hex')}`;
}

/** Letters in lines, which compress, with 12 MB that come again 36 MB later: only a long window reaches them. */
const lines = Buffer.from(Array.from({ length: 400_000 }, (_none, n) => `${(n * 7919) % 10_007} of ${n}\n`).join(''));
const noise = randomBytes(12_000_000);
const content = Buffer.concat([noise, lines, randomBytes(24_000_000), noise, lines]);

test.each([
  [['-1']],
  [['-3', '--no-check']],
  [['-9', '-T2']],
  [['-3', '--long=27']],
  [['-13', '--zstd=wlog=20']],
  [['--fast=5']],
])('what zstd %j compressed comes back', async (args) => {
  const input = args.includes('-13') ? lines : content;
  expect(await digestOf(zstd(input, ...args))).toBe(sha256(input));
});

test('--long=27 is worth testing: it finds the 12 MB that came 36 MB before', () => {
  expect(zstd(content, '-3').length - zstd(content, '-3', '--long=27').length).toBeGreaterThan(11_000_000);
});

test('frames of several windows follow one another', async () => {
  const frames = [zstd(lines, '-3'), zstd(content, '-3', '--long=27'), zstd(Buffer.alloc(0)), zstd(lines, '-12')];
  expect(await digestOf(Buffer.concat(frames))).toBe(sha256(Buffer.concat([lines, content, lines])));
});

test('a window of 256 MiB is refused by its name', async () => {
  const big = zstd(content, '--ultra', '-20', '--long=28', '--zstd=strategy=1');
  await expect(digestOf(big)).rejects.toMatchObject({ code: 'oci/zstd-window' });
});

test('a real layer cut short or damaged is an error', async () => {
  const layer = zstd(content, '-3');
  for (const size of [4, 5, 6, 9, 100_000, layer.length >> 1, layer.length - 1])
    await expect(digestOf(layer.subarray(0, size)), `${size} bytes`).rejects.toMatchObject({ code: 'oci/compression' });
});
