import { Readable } from 'node:stream';
import { digestOf, mediaTypes, type Descriptor, type Digest } from '../../../src/core/index.ts';
import type { BlobSource } from '../../../src/registry/index.ts';

/** An image in memory, small but whole: two platforms that share a layer. */
export interface TestImage {
  readonly root: Descriptor;
  readonly children: readonly Descriptor[];
  readonly blobs: readonly Descriptor[];
  readonly source: BlobSource;
  /** Every `open` of the source: digest and start. */
  readonly opened: { readonly digest: Digest; readonly start: number }[];
}

export function describeBytes(bytes: Uint8Array, mediaType: string): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

/** noise gives bytes that look random and are the same for the same seed. */
export function noise(seed: string, size: number): Buffer {
  const block = Buffer.from(Array.from({ length: 64 }, (_, at) => digestOf(`${seed} ${at}`).slice(7)).join(''), 'hex');
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; at += block.length) block.copy(bytes, at, 0, Math.min(block.length, size - at));
  return bytes;
}

/** makeImage builds an index; another `seed` gives other layers, but the shared one stays. */
export function makeImage(seed = 'one', layerSize = 3000): TestImage {
  const contents = new Map<Digest, Buffer>();
  const add = (bytes: Buffer, mediaType: string): Descriptor => {
    const descriptor = describeBytes(bytes, mediaType);
    contents.set(descriptor.digest, bytes);
    return descriptor;
  };
  const blobs: Descriptor[] = [];
  const children = (['amd64', 'arm64'] as const).map((architecture) => {
    const layers = [
      add(noise('shared', 500), mediaTypes.layerGzip),
      add(noise(`${seed} ${architecture}`, layerSize), mediaTypes.layerGzip),
    ];
    const config = add(
      json({ architecture, os: 'linux', seed, rootfs: { type: 'layers', diff_ids: [] } }),
      mediaTypes.config,
    );
    blobs.push(config, ...layers);
    const manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers };
    return { ...add(json(manifest), mediaTypes.manifest), platform: { os: 'linux', architecture } };
  });
  const root = add(json({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: children }), mediaTypes.index);
  const opened: { digest: Digest; start: number }[] = [];
  const bytesOf = (descriptor: Descriptor): Buffer => {
    const bytes = contents.get(descriptor.digest);
    if (bytes === undefined) throw new Error(`the test image has no ${descriptor.digest}`);
    return bytes;
  };
  const source: BlobSource = {
    open: (blob, start = 0) => {
      opened.push({ digest: blob.digest, start });
      return Readable.from(slices(bytesOf(blob).subarray(start)), { objectMode: false });
    },
    manifest: async (descriptor) => bytesOf(descriptor),
  };
  return { root, children, blobs, source, opened };
}

function* slices(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 64 * 1024) yield bytes.subarray(at, at + 64 * 1024);
}

/** makeReferrer gives the bytes of an artifact manifest that refers to `subject`; its config is the empty blob. */
export function makeReferrer(subject: Descriptor, artifactType: string, note = ''): Buffer {
  const { mediaType, digest, size } = subject;
  return json({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType,
    config: { ...describeBytes(emptyBlob, mediaTypes.empty) },
    layers: [{ ...describeBytes(emptyBlob, mediaTypes.empty) }],
    subject: { mediaType, digest, size },
    annotations: { 'org.example.note': note },
  });
}

export const emptyBlob = Buffer.from('{}');
export const emptyDescriptor = describeBytes(emptyBlob, mediaTypes.empty);
export const emptySource: BlobSource = {
  open: (_blob, start = 0) => Readable.from([emptyBlob.subarray(start)], { objectMode: false }),
  manifest: async () => Promise.reject(new Error('no manifest here')),
};
