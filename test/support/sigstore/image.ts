import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { digestOf, mediaTypes, type Descriptor, type Digest } from '../../../src/core/index.ts';
import type { BlobSource } from '../../../src/registry/index.ts';

export interface LabelledImage {
  readonly root: Descriptor;
  readonly amd64: Descriptor;
  readonly arm64: Descriptor;
  readonly source: BlobSource;
}

/** A tar with one file (POSIX ustar): what dpkg would say is installed. */
function layerWith(path: string, text: string): Buffer {
  const content = Buffer.from(text);
  const header = Buffer.alloc(512);
  const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`;
  header.write(path, 0);
  header.write(
    `${octal(0o644, 8)}${octal(0, 8)}${octal(0, 8)}${octal(content.length, 12)}${octal(0, 12)}        0`,
    100,
  );
  header.write('ustar\u000000', 257);
  header.write(
    octal(
      header.reduce((sum, byte) => sum + byte, 0),
      7,
    ),
    148,
  );
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
  return Buffer.concat([header, content, padding, Buffer.alloc(1024)]);
}

/** labelledImage builds a two-platform index whose images carry these labels. */
export function labelledImage(
  labels: Readonly<Record<string, string | undefined>> = {},
  seed = 'image',
): LabelledImage {
  const contents = new Map<Digest, Buffer>();
  const add = (bytes: Buffer, mediaType: string): Descriptor => {
    const digest = digestOf(bytes);
    contents.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
  const child = (architecture: string): Descriptor => {
    const stanza = `Package: ${seed}\nStatus: install ok installed\nVersion: 1.0\nArchitecture: ${architecture}\n\n`;
    const tar = layerWith('var/lib/dpkg/status', stanza);
    const layer = add(gzipSync(tar), mediaTypes.layerGzip);
    const rootfs = { type: 'layers', diff_ids: [digestOf(tar)] };
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
