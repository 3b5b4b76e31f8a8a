import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { constants, deflateRawSync, crc32 } from 'node:zlib';
import type { Digest } from '../../../src/core/index.ts';
import { walkImage } from '../../../src/oci/walk/walk.ts';
import { end, pax, raw } from './raw.ts';

/** Layers too large to keep: made anew for each pass, once to learn their digests and once to be walked. */

function* entries(): Generator<Buffer> {
  const template = raw({ name: 'd0000/f0000000' });
  for (let directory = 0; directory < 3000; directory++) {
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

const size = 8_000_000_000;

function* bytes(): Generator<Buffer> {
  yield pax({ size: String(size) });
  yield raw({ name: 'big' });
  const zeros = Buffer.alloc(8_000_000);
  for (let at = 0; at < size; at += zeros.length) yield zeros;
  yield end;
}

/** A fast gzip: repeated pages are compressed once, which the format allows at any flush. */
function* gzip(source: Iterable<Buffer>, state: { crc: number; size: number; inner: ReturnType<typeof createHash> }) {
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

const make = process.argv[2] === 'entries' ? entries : bytes;
const fresh = () => ({ crc: 0, size: 0, inner: createHash('sha256') });
const first = fresh();
const outer = createHash('sha256');
let compressedSize = 0;
for (const part of gzip(make(), first)) {
  outer.update(part);
  compressedSize += part.length;
}
const diffId = `sha256:${first.inner.digest('hex')}` as Digest;
const descriptor = {
  mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
  digest: `sha256:${outer.digest('hex')}` as Digest,
  size: compressedSize,
};
const picture = await walkImage({
  platform: 'linux/amd64',
  manifestDigest: descriptor.digest,
  manifest: { schemaVersion: 2, config: descriptor, layers: [descriptor] },
  config: { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [diffId] } },
  open: async () => Readable.from(gzip(make(), fresh())),
});
const sample = picture.tree.get(process.argv[2] === 'entries' ? '/d2999/f0000999' : '/big');
const { maxRSS } = process.resourceUsage();
process.stdout.write(JSON.stringify({ peak: maxRSS * 1024, paths: picture.tree.size, bytes: first.size, sample }));
