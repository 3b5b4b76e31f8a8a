import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import type { Descriptor, Picture } from '../../../src/core/index.ts';
import { parseImageConfig, parseManifest } from '../../../src/core/index.ts';
import { walkImage, type WalkOptions } from '../../../src/oci/index.ts';
import { chunks, configOf, sha256 } from '../support.ts';

export interface Blob {
  readonly bytes: Buffer;
  readonly mediaType?: string;
}

const gzipType = 'application/vnd.oci.image.layer.v1.tar+gzip';

/** Walks an image whose layers are these tars, gzipped; chunks are cut oddly. */
export async function walkTars(tars: readonly Buffer[], options: WalkOptions = {}): Promise<Picture> {
  return walkBlobs(
    tars,
    tars.map((tar) => ({ bytes: gzipSync(tar) })),
    options,
  );
}

/** Walks an image whose config tells of `tars` and whose blobs are `blobs`. */
export async function walkBlobs(
  tars: readonly Buffer[],
  blobs: readonly Blob[],
  options: WalkOptions = {},
  serve?: (descriptor: Descriptor) => Readable,
): Promise<Picture> {
  const config = configOf({ layers: tars });
  const byDigest = new Map(blobs.map(({ bytes }) => [sha256(bytes), bytes]));
  const manifest = {
    schemaVersion: 2,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: sha256(config), size: config.length },
    layers: blobs.map(({ bytes, mediaType = gzipType }) => ({ mediaType, digest: sha256(bytes), size: bytes.length })),
  };
  return walkImage(
    {
      platform: 'linux/amd64',
      manifestDigest: sha256('manifest'),
      manifest: parseManifest(JSON.stringify(manifest)),
      config: parseImageConfig(config),
      open: async (descriptor) =>
        serve?.(descriptor) ?? Readable.from(chunks(byDigest.get(descriptor.digest) ?? Buffer.alloc(0), 1013)),
    },
    options,
  );
}

export { archive, end, pax, raw, type RawHeader } from './raw.ts';
