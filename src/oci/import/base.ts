import { createHash, type Hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { mediaTypes, type Descriptor, type Digest, type ImageConfig, type Manifest } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import { decompressError, decompressor, sniff } from '../decompress.ts';
import type { Layout } from '../layout/index.ts';
import { digestMismatch } from '../verify.ts';

/** BaseImage is the pinned base for one platform, and the way to its blobs. */
export interface BaseImage {
  /** The digest that the Dockerfile's FROM pins: of the base's index, or of its manifest. */
  readonly digest: Digest;
  readonly manifestDigest: Digest;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
  /** A blob of the base, from the registry it came from. It is verified here. */
  open(descriptor: Descriptor): Promise<Readable>;
}

/** BaseProof records that an image's first layers are the pinned base's, bit for bit. */
export interface BaseProof {
  readonly digest: Digest;
  readonly manifestDigest: Digest;
  /** Lowest first: the upstream's compressed blob, and the diffID found in both images. */
  readonly layers: readonly { readonly digest: Digest; readonly diffId: Digest }[];
}

const ociTypes: Readonly<Record<string, string>> = {
  [mediaTypes.dockerLayer]: mediaTypes.layerGzip,
  [mediaTypes.layerGzip]: mediaTypes.layerGzip,
  [mediaTypes.layerZstd]: mediaTypes.layerZstd,
  [mediaTypes.layer]: mediaTypes.layer,
};

/** baseLayers gives the base's layer descriptors under OCI media types. Throws `oci/base`. */
export function baseLayers(base: BaseImage): Descriptor[] {
  const { diff_ids: diffIds } = base.config.rootfs;
  if (diffIds.length !== base.manifest.layers.length) {
    throw new AppError('oci/base', 'upstream', "the base image's config and manifest disagree", {
      expected: `${base.manifest.layers.length} layers, as its manifest says`,
      found: `${diffIds.length} diffIDs in its config`,
    });
  }
  return base.manifest.layers.map(({ mediaType, digest, size }) => {
    const type = ociTypes[mediaType];
    if (type !== undefined) return { mediaType: type, digest, size };
    throw new AppError('oci/base', 'upstream', `a layer of the base image has the media type ${mediaType}`, {
      expected: Object.keys(ociTypes).join(', '),
    });
  });
}

/** proveBase holds the image's first diffIDs against the base's. Throws `oci/base-mismatch` naming the layer. */
export function proveBase(base: BaseImage, image: readonly Digest[]): BaseProof {
  const layers = baseLayers(base).map(({ digest }, index) => {
    const diffId = base.config.rootfs.diff_ids[index];
    const found = image[index];
    if (diffId === undefined || diffId !== found) {
      throw new AppError(
        'oci/base-mismatch',
        'upstream',
        `layer ${index} of the image is not layer ${index} of the base`,
        {
          expected: `diffID ${diffId ?? 'none'} (blob ${digest} of base ${base.digest})`,
          found: found === undefined ? `the image has only ${image.length} layers` : `diffID ${found}`,
          hint: 'the engine built from another base: remove its cached copy of the base and build again',
        },
      );
    }
    return { digest, diffId };
  });
  return { digest: base.digest, manifestDigest: base.manifestDigest, layers };
}

async function hashAll(plain: Readable, hash: Hash): Promise<void> {
  try {
    for await (const part of plain) hash.update(part as Buffer);
  } catch (error) {
    throw decompressError(error, 'a layer of the base');
  }
}

/** Hashes what a blob holds, uncompressed, while the blob itself passes. */
async function* withDiffId(source: AsyncIterable<Uint8Array>, expected: Digest): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let plain: ReturnType<typeof decompressor> | undefined;
  let done: Promise<void> = Promise.resolve();
  try {
    for await (const chunk of source) {
      if (plain === undefined) {
        const stream = decompressor(sniff(chunk));
        plain = stream;
        done = hashAll(stream, hash);
        done.catch(() => undefined);
      }
      if (!plain.write(chunk)) {
        const drained = new Promise((resolve) => plain?.once('drain', resolve));
        await Promise.race([drained, done]);
      }
      yield chunk;
    }
    plain?.end();
    await done;
  } finally {
    plain?.destroy();
  }
  const found = `sha256:${hash.digest('hex')}`;
  if (found !== expected) throw digestMismatch("the content of the base's layer", expected, found);
}

/** fetchBase brings the base's compressed blobs into the layout unchanged; those already there are kept. */
export async function fetchBase(layout: Layout, base: BaseImage): Promise<void> {
  const layers = baseLayers(base);
  for (const [index, descriptor] of layers.entries()) {
    const diffId = base.config.rootfs.diff_ids[index];
    if (diffId === undefined || (await layout.has(descriptor))) continue;
    const source = await base.open(descriptor);
    await layout.put(Readable.from(withDiffId(source, diffId)), descriptor);
  }
}
