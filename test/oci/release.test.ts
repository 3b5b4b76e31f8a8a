import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { digestOf } from '../../src/core/index.ts';
import { plainBytes } from '../../src/oci/decompress.ts';
import { release } from '../../src/oci/release.ts';

const directory = await mkdtemp(join(tmpdir(), 'runner-image-release-'));
afterAll(() => rm(directory, { recursive: true }));

const plain = Buffer.alloc(5_000_000, 'some text that compresses ');
const zipped = gzipSync(plain, { level: 0 });

async function collect(
  source: Readable,
  blob: Buffer,
  kind: 'gzip' | 'none',
): Promise<{ copies: Buffer; kept: Buffer[] }> {
  const kept: Buffer[] = [];
  const copies: Buffer[] = [];
  for await (const chunk of plainBytes(source, kind, { digest: digestOf(blob), size: blob.length })) {
    kept.push(chunk);
    copies.push(Buffer.from(chunk));
  }
  return { copies: Buffer.concat(copies), kept };
}

test('what was unpacked is given back as soon as it was read', async () => {
  const { copies, kept } = await collect(Readable.from([zipped]), zipped, 'gzip');
  expect(copies.equals(plain)).toBe(true);
  // The last buffer is not full, so that whoever made it may still hold it.
  expect(kept.filter(({ length }) => length > 0)).toHaveLength(1);
});

test('so are the chunks of a file, which nobody else has', async () => {
  const file = join(directory, 'blob');
  await writeFile(file, plain);
  const { copies, kept } = await collect(createReadStream(file, { highWaterMark: 1024 * 1024 }), plain, 'none');
  expect(copies.equals(plain)).toBe(true);
  expect(kept.filter(({ length }) => length > 0)).toEqual([]);
});

test('bytes of anyone else stay theirs', async () => {
  for (const [blob, kind] of [
    [plain, 'none'],
    [zipped, 'gzip'],
  ] as const) {
    const before = digestOf(blob);
    await collect(Readable.from([blob]), blob, kind);
    expect(blob.length).toBeGreaterThan(4_000_000);
    expect(digestOf(blob)).toBe(before);
  }
});

test('a part of a larger buffer, a small one and an empty one are left alone', () => {
  const large = Buffer.alloc(256 * 1024);
  release(large.subarray(0, 128 * 1024));
  expect(large).toHaveLength(256 * 1024);
  const small = Buffer.from('a pooled one');
  release(small);
  expect(small.toString()).toBe('a pooled one');
  release(large.subarray(large.length));
  expect(large).toHaveLength(256 * 1024);
  release(large);
  expect(large).toHaveLength(0);
});
