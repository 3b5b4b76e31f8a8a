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

export interface RawHeader {
  name: string;
  flag?: string;
  size?: number | string;
  mode?: number;
  link?: string;
  magic?: string;
  uid?: Buffer;
  prefix?: string;
  body?: Buffer | string;
}

/** A tar member byte by byte, as no library would write it: every field may be wrong. */
export function raw(header: RawHeader): Buffer {
  const body = Buffer.from(header.body ?? '');
  const block = Buffer.alloc(512);
  block.write(header.name, 0, 100, 'latin1');
  block.write((header.mode ?? 0o644).toString(8).padStart(7, '0'), 100);
  if (header.uid === undefined) block.write('0000000', 108);
  else header.uid.copy(block, 108);
  block.write('0000000', 116);
  const size = header.size ?? body.length;
  block.write(typeof size === 'string' ? size : size.toString(8).padStart(11, '0'), 124);
  block.write('00000000000', 136);
  block.write(header.flag ?? '0', 156, 'latin1');
  block.write(header.link ?? '', 157, 100, 'latin1');
  block.write(header.magic ?? 'ustar\u000000', 257, 'latin1');
  block.write(header.prefix ?? '', 345, 155, 'latin1');
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([block, body, Buffer.alloc((512 - (body.length % 512)) % 512)]);
}

export const end = Buffer.alloc(1024);

/** PAX records as a member of their own. */
export function pax(records: Readonly<Record<string, string>>, flag = 'x'): Buffer {
  const text = Object.entries(records)
    .map(([key, value]) => {
      const rest = Buffer.byteLength(` ${key}=${value}\n`);
      const length = rest + String(rest + String(rest).length).length;
      return `${length} ${key}=${value}\n`;
    })
    .join('');
  return raw({ name: 'PaxHeaders/x', flag, body: text });
}

export const archive = (...members: readonly Buffer[]): Buffer => Buffer.concat([...members, end]);
