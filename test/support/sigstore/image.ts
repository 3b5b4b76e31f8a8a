import { Readable } from 'node:stream';
import { digestOf, mediaTypes, type Descriptor, type Digest } from '../../../src/core/index.ts';
import type { BlobSource } from '../../../src/registry/index.ts';

export interface LabelledImage {
  readonly root: Descriptor;
  readonly amd64: Descriptor;
  readonly arm64: Descriptor;
  readonly source: BlobSource;
}

/** labelledImage builds a two-platform index whose images carry these labels. */
export function labelledImage(labels: Readonly<Record<string, string>> = {}, seed = 'image'): LabelledImage {
  const contents = new Map<Digest, Buffer>();
  const add = (bytes: Buffer, mediaType: string): Descriptor => {
    const digest = digestOf(bytes);
    contents.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
  const child = (architecture: string): Descriptor => {
    const layer = add(Buffer.from(`${seed} ${architecture}`), mediaTypes.layerGzip);
    const rootfs = { type: 'layers', diff_ids: [layer.digest] };
    const config = add(json({ architecture, os: 'linux', rootfs, config: { Labels: labels } }), mediaTypes.config);
    const manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers: [layer] };
    return { ...add(json(manifest), mediaTypes.manifest), platform: { os: 'linux', architecture } };
  };
  const [amd64, arm64] = [child('amd64'), child('arm64')];
  const root = add(
    json({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [amd64, arm64] }),
    mediaTypes.index,
  );
  const bytesOf = ({ digest }: Descriptor): Buffer => contents.get(digest) ?? Buffer.alloc(0);
  return {
    root,
    amd64,
    arm64,
    source: {
      open: (blob, start = 0) => Readable.from([bytesOf(blob).subarray(start)], { objectMode: false }),
      manifest: async (descriptor) => bytesOf(descriptor),
    },
  };
}
