import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { plainBytes, sniff } from '../../src/oci/decompress.ts';
import { ZstdReader } from '../../src/oci/zstd.ts';
import { sha256, temporaryDirectory } from './support.ts';

/** Frames written by hand, after RFC 8878: only what a raw block and a run need. */
const magic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
const block = (type: 0 | 1 | 2 | 3, size: number, body: Uint8Array, last = false): Buffer => {
  const header = Buffer.alloc(3);
  header.writeUIntLE((size << 3) | (type << 1) | Number(last), 0, 3);
  return Buffer.concat([header, body]);
};
const raw = (body: Uint8Array, last = false): Buffer => block(0, body.length, body, last);
const run = (size: number, byte: number, last = false): Buffer => block(1, size, Buffer.from([byte]), last);
const windowOf = (log: number): Buffer => Buffer.from([0, (log - 10) << 3]);
const frame = (...blocks: Buffer[]): Buffer => Buffer.concat([magic, windowOf(17), ...blocks]);
const skippable = (body: Uint8Array): Buffer => {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(0x184d2a53, 0);
  header.writeUInt32LE(body.length, 4);
  return Buffer.concat([header, body]);
};

// `zstd -19` and `zstd -3 --check --no-content-size` 1.5.4 of the text below.
const text = Buffer.from(Array.from({ length: 400 }, (_none, line) => `line ${line} of a small layer\n`).join(''));
const best = Buffer.from(
  'KLUv/QRoNAgARlQqFpCp0GrLqsfCWquqLohEdvcOT11vAAIxACUAGQBVVVVFRERERDQzMzMzIyIiIiLy/xBnRSMNAAkCCwEFhoKCAAMFQ4BhAMFwMAgcEBQE//8fHh4eHh4eHh4ejjHGGGOMIYQQQgghxN3d3d2dmZmZmVlVBWuttdZaK6WUUkoppXPOOeecc0oppZRSSnnjOI7jOI7jKIqiKIqiKIr33nvvvfdaa6211lpbAYDIqBEA+v3f0FO1AREgBP9L/IWm/b7f9/t+v+/3/b7fxx+kBmlBSpAOpAJpQAqQ/7L/7vf9vt/3+32/7/f9vt7f/L3f+p3f+H3f9l3f6aVdo7VGu85gYQFSBQ0FAOYYIQnAtRhNmXz/MgMhACAAGgDjOI7jOI7juLu7u7urqqqqqiqKoiiKoiiKYRiGYRiGYRhnZmZmZmZmZmZmZmZmZmZmpsFgMBgMAoFAIBAIBAKBAXd3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3cBd3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3F4DIqBAQP+D3MxH8nxD4G8ly+kAQrGjVCC0BtYUT+g==',
  'base64',
);
const streamed = Buffer.from(
  'KLUv/QRY9QsA9ls7FMBnOea7RC7uavVVKWVKKSVW7zVZPgAyADEAREQ0MzMzM/P////btm3bbdu2LUmSJLlt27aJiIiISNHc5aQQUDBwADgISDAcCoeDgQChYCgIGBSiEFAwcAhVVVVFRERERDQzMzMz8////9u2bdtt27YtSZIkuW3btomIiIhIRERERIRUVVVVVRERUVVVVVVFRERERDQzMzMz8////9u2bdtt27YtSZIkuW3btomIiIiIxGKxWCwWi8ViVRVVVVVVVUREREREMzMzMzP///+/bdu23bZt25IkSZLbtm2biIiIiEgwGAwGg8FgMFgBgY+oIfDufwexR6VZAxH8jxAoSH4MqDgzo2RkjIySISvEn/zTX/JvGDkzo2RkjIwS/5/86S/507/6MKcmxcSYmBRv5+Dz0lFdQ1lDrYaihjINVRoqGmpoqGeo6oyZ66nr6+ur66vrq+ur66vrq+ur63Y/yU/ap/p0PolP3lN72qwndGS9ruu6rtGVcFe/CrWFE/o=',
  'base64',
);

function* pieces(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function plain(bytes: Buffer, size = 64 * 1024): Promise<Buffer> {
  const source = Readable.from(pieces(bytes, size), { objectMode: false });
  const parts: Buffer[] = [];
  for await (const part of plainBytes(source, 'zstd', { digest: sha256(bytes), size: bytes.length })) parts.push(part);
  return Buffer.concat(parts);
}

const failure = async (bytes: Buffer): Promise<{ code: string; cause: string }> => {
  const error = await plain(bytes).then(
    () => undefined,
    (thrown: unknown) => thrown as { code: string; cause?: Error; message: string },
  );
  return { code: error?.code ?? 'none', cause: error?.cause?.message ?? '' };
};

test.each([1, 7, 64 * 1024])('what zstd compressed comes back, in pieces of %i bytes', async (size) => {
  expect((await plain(best, size)).equals(text)).toBe(true);
  expect((await plain(streamed, size)).equals(text)).toBe(true);
});

test('a layer in a file comes back, whose chunks are given back to the system as they are read', async () => {
  const noise = randomBytes(3_000_000);
  const file = join(temporaryDirectory(), 'layer');
  const blob = zstdCompressSync(noise);
  await writeFile(file, blob);
  const parts: Buffer[] = [];
  for await (const part of plainBytes(createReadStream(file, { highWaterMark: 1024 * 1024 }), 'zstd', {
    digest: sha256(blob),
    size: blob.length,
  }))
    parts.push(Buffer.from(part));
  expect(Buffer.concat(parts).equals(noise)).toBe(true);
});

test('raw blocks and runs come back, also the smallest', async () => {
  const bytes = frame(raw(Buffer.from('a')), run(3, 0x62), raw(Buffer.alloc(0)), raw(Buffer.from('c'), true));
  expect((await plain(bytes)).toString()).toBe('abbbc');
});

test('frames follow one another, with skippable ones before, between and after', async () => {
  const bytes = Buffer.concat([
    skippable(randomBytes(70_000)),
    best,
    skippable(Buffer.alloc(0)),
    streamed,
    skippable(text),
  ]);
  expect((await plain(bytes, 1000)).equals(Buffer.concat([text, text]))).toBe(true);
});

test('a stream cut short anywhere is an error, never fewer bytes', async () => {
  const bytes = Buffer.concat([streamed, skippable(Buffer.from('abc'))]);
  const whole = new Set([0, streamed.length, bytes.length]);
  for (let size = 1; size < bytes.length; size += 1) {
    if (whole.has(size)) continue;
    expect(await failure(bytes.subarray(0, size)), `${size} bytes`).toEqual({
      code: 'oci/compression',
      cause: 'zstd: the stream ends within a frame',
    });
  }
});

test('nothing, and nothing but skippable frames, is no layer', async () => {
  expect((await failure(Buffer.alloc(0))).code).toBe('oci/compression');
  expect((await failure(skippable(text))).cause).toBe('zstd: the stream holds no frame');
});

test.each([
  ['bytes after the last frame', Buffer.concat([best, Buffer.from('garbage')]), 'zstd: these bytes begin no frame'],
  ['a reserved bit', Buffer.concat([magic, Buffer.from([8, 0]), raw(text, true)]), 'Unsupported frame parameter'],
  ['a reserved block type', frame(block(3, 1, Buffer.from('a'), true)), 'Data corruption detected'],
  ['a dictionary', Buffer.concat([magic, Buffer.from([1, 0, 9]), raw(text, true)]), 'Dictionary mismatch'],
  ['a block over 128 KiB', frame(run(128 * 1024 + 1, 0, true)), 'Data corruption detected'],
  ['more content than said', Buffer.concat([magic, Buffer.from([0x20, 2]), run(3, 0, true)]), 'Data corruption'],
  ['less content than said', Buffer.concat([magic, Buffer.from([0x20, 4]), run(3, 0, true)]), 'Data corruption'],
  ['a damaged block', Buffer.concat([best.subarray(0, 40), Buffer.alloc(best.length - 40, 0xff)]), 'corruption'],
  ['a wrong checksum', Buffer.concat([streamed.subarray(0, -1), Buffer.from([0])]), 'checksum'],
])('%s is refused', async (_name, bytes, cause) => {
  expect(await failure(bytes)).toEqual({ code: 'oci/compression', cause: expect.stringContaining(cause) as string });
});

test('every frame’s window is held against the limit, not only the first’s', async () => {
  const big = Buffer.concat([magic, windowOf(28), run(1, 0, true)]);
  expect((await failure(Buffer.concat([best, big]))).code).toBe('oci/zstd-window');
  const segment = Buffer.concat([magic, Buffer.from([0xe0]), Buffer.alloc(8, 0x01), run(1, 0, true)]);
  expect((await failure(segment)).code).toBe('oci/zstd-window');
  expect((await plain(Buffer.concat([magic, windowOf(27), run(1, 0x61, true)]))).toString()).toBe('a');
});

test('a bomb is unpacked only as fast as it is read', async () => {
  const bomb = frame(...Array.from({ length: 2_000 }, () => run(128 * 1024, 0)), run(1, 0, true));
  const reader = new ZstdReader(1024 * 1024);
  reader.end(bomb);
  await new Promise((resolve) => reader.once('readable', resolve));
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(reader.readableLength).toBeLessThan(2 * 1024 * 1024);
  let size = 0;
  for await (const chunk of reader) size += (chunk as Buffer).length;
  expect(size).toBe(2_000 * 128 * 1024 + 1);
});

test('thousands of small frames and blocks under the biggest window take no time', async () => {
  const small = Buffer.concat([magic, windowOf(27), run(1, 0x61), run(1, 0x62, true)]);
  const many = Buffer.concat([
    ...Array.from({ length: 2000 }, () => small),
    Buffer.concat([magic, windowOf(27), ...Array.from({ length: 20_000 }, () => run(1, 0x63)), run(1, 0x64, true)]),
  ]);
  const start = performance.now();
  expect(await plain(many)).toHaveLength(24_001);
  // Moving such a window once takes ten milliseconds and more: all of them would take four minutes.
  expect(performance.now() - start).toBeLessThan(10_000);
});

test('sniff tells zstd by a frame of either kind', () => {
  expect(
    [best, skippable(text), text, Buffer.alloc(0), Buffer.from([0x28, 0xb5])].map((bytes) => sniff(bytes)),
  ).toEqual(['zstd', 'zstd', 'none', 'none', 'none']);
});
