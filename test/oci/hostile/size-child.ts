import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Digest } from '../../../src/core/index.ts';
import { walkImage } from '../../../src/oci/walk/walk.ts';
import { diffIdOf, gzip, gzipState, manyFiles, zeros } from './giant.ts';

const make = process.argv[2] === 'entries' ? () => manyFiles(3000) : () => zeros(8_000_000_000);
const first = gzipState();
const outer = createHash('sha256');
let compressedSize = 0;
for (const part of gzip(make(), first)) {
  outer.update(part);
  compressedSize += part.length;
}
const diffId = diffIdOf(first);
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
  open: async () => Readable.from(gzip(make(), gzipState())),
});
const sample = picture.tree.get(process.argv[2] === 'entries' ? '/d2999/f0000999' : '/big');
const { maxRSS } = process.resourceUsage();
process.stdout.write(JSON.stringify({ peak: maxRSS * 1024, paths: picture.tree.size, bytes: first.size, sample }));
