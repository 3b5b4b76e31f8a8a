import { createHash } from 'node:crypto';
import { constants, crc32, deflateRawSync } from 'node:zlib';
import type { Digest } from '../../../src/core/index.ts';
import { end, pax, raw } from './raw.ts';

/** Layers too large to keep: made anew for each pass, once to learn their digests and once to be read. */

/** manyFiles is a layer of empty files, a thousand in each directory, that no entry makes. */
export function* manyFiles(directories: number): Generator<Buffer> {
  const template = raw({ name: 'd0000/f0000000' });
  for (let directory = 0; directory < directories; directory++) {
    const page = Buffer.alloc(512 * 1000);
    for (let file = 0; file < 1000; file++) {
      const name = `d${String(directory).padStart(4, '0')}/f${String(file).padStart(7, '0')}`;
      template.copy(page, file * 512);
      page.write(name, file * 512, 'latin1');
      let sum = 0;
      for (let at = 0; at < 512; at++) sum += at >= 148 && at < 156 ? 32 : (page[file * 512 + at] ?? 0);
      page.write(`${sum.toString(8).padStart(6, '0')}\0 `, file * 512 + 148);
    }
    yield page;
  }
  yield end;
}

/** zeros is a layer with one file; `size` is a multiple of 8 MB or 8 MiB. */
export function* zeros(size: number): Generator<Buffer> {
  yield pax({ size: String(size) });
  yield raw({ name: 'big' });
  const page = Buffer.alloc(size % (8 << 20) === 0 ? 8 << 20 : 8_000_000);
  for (let at = 0; at < size; at += page.length) yield page;
  yield end;
}

export interface GzipState {
  crc: number;
  size: number;
  readonly inner: ReturnType<typeof createHash>;
}

export const gzipState = (): GzipState => ({ crc: 0, size: 0, inner: createHash('sha256') });
export const diffIdOf = (state: GzipState): Digest => `sha256:${state.inner.digest('hex')}` as Digest;

/** A fast gzip: repeated pages are compressed once, which the format allows at any flush. */
export function* gzip(source: Iterable<Buffer>, state: GzipState): Generator<Buffer> {
  yield Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
  let last: Buffer | undefined;
  let compressed = Buffer.alloc(0);
  for (const page of source) {
    state.inner.update(page);
    state.crc = crc32(page, state.crc);
    state.size += page.length;
    if (page !== last) compressed = deflateRawSync(page, { level: 1, finishFlush: constants.Z_FULL_FLUSH });
    last = page;
    yield compressed;
  }
  const trailer = Buffer.alloc(10);
  trailer.writeUInt16LE(0x0003, 0);
  trailer.writeUInt32LE(state.crc, 2);
  trailer.writeUInt32LE(state.size % 2 ** 32, 6);
  yield trailer;
}
