import { createCipheriv, createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { mediaTypes, toOciPlatform, type Descriptor } from '../../src/core/index.ts';
import type { Host } from '../../src/host/index.ts';
import { gzip } from '../../src/oci/import/gzip.ts';
import { createLayout } from '../../src/oci/index.ts';
import type { TarEntry } from '../../src/oci/tar/entry.ts';
import { encodeHeader, endOfArchive, padding } from '../../src/oci/tar/writer.ts';

export interface SyntheticSize {
  readonly layers: number;
  readonly files: number;
  /** Of all files together, uncompressed. */
  readonly bytes: number;
}

export const large: SyntheticSize = { layers: 16, files: 200_000, bytes: 1_700_000_000 };
export const small: SyntheticSize = { layers: 8, files: 10_000, bytes: 85_000_000 };

const poolBytes = 8 * 1024 * 1024;
/** A third of the bytes lie in files as large as programs are; the rest in small ones, as in site-packages. */
const largeFile = 16 * 1024 * 1024;
const filesPerFolder = 40;

/** A generator of numbers that are the same on every machine (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Bytes that compress as programs and libraries do, to a bit less than half: words and noise in turn. */
export function makePool(): Buffer {
  const noise = createCipheriv('aes-128-ctr', Buffer.alloc(16, 7), Buffer.alloc(16)).update(Buffer.alloc(poolBytes));
  const next = numbers(1);
  const words = Array.from({ length: 600 }, () => Math.floor(next() * 36 ** 7).toString(36));
  const pool = Buffer.alloc(poolBytes);
  for (let at = 0; at < poolBytes;) {
    const run = 256 + Math.floor(next() * 4096);
    const end = Math.min(poolBytes, at + run);
    if (next() < 0.15) noise.copy(pool, at, at, end);
    else
      for (let to = at; to < end;) to += pool.write(`${words[Math.floor(next() * words.length)] ?? ''} `, to, end - to);
    at = end;
  }
  return pool;
}

const entry = (name: string, fields: Partial<TarEntry>): TarEntry => ({
  ...{ name, type: 'file', mode: 0o644, uid: 0, gid: 0, size: 0, mtime: 1_700_000_000 },
  ...{ link: '', devMajor: 0, devMinor: 0, offset: 0 },
  ...fields,
});

/** The files of one layer; every hundredth replaces one of the layer below, as an upgrade does. */
function* layerEntries(layer: number, size: SyntheticSize): Generator<TarEntry> {
  const next = numbers(1000 + layer);
  const count = Math.floor(size.files / size.layers);
  const bytes = size.bytes / size.layers;
  const large_ = Math.floor(bytes / 3 / largeFile);
  const mean = (bytes - large_ * largeFile) / (count - large_);
  const folder = (of: number, at: number): string => `opt/part-${of}/folder-${Math.floor(at / filesPerFolder)}`;
  if (layer === 0)
    for (const name of ['etc', 'opt', 'tmp', 'usr', 'usr/bin', 'workspace'])
      yield entry(`${name}/`, { type: 'directory', mode: name === 'tmp' ? 0o1777 : 0o755 });
  yield entry(`opt/part-${layer}/`, { type: 'directory', mode: 0o755 });
  for (let at = 0; at < count; at += 1) {
    const home = folder(layer, at);
    if (at % filesPerFolder === 0) yield entry(`${home}/`, { type: 'directory', mode: 0o755 });
    const replaces = layer > 0 && at % 100 === 99;
    const name = replaces ? `${folder(layer - 1, at)}/module-${at}.py` : `${home}/module-${at}.py`;
    // Sizes fall off exponentially, as they do in real trees.
    const length = at < large_ ? largeFile : Math.floor(-Math.log(1 - next()) * mean);
    yield entry(name, { size: length, mode: at % 20 === 0 ? 0o755 : 0o644 });
  }
}

async function* layerTar(layer: number, size: SyntheticSize, pool: Buffer): AsyncGenerator<Buffer> {
  const next = numbers(2000 + layer);
  for (const one of layerEntries(layer, size)) {
    yield encodeHeader(one);
    for (let left = one.size; left > 0;) {
      const start = Math.floor(next() * (poolBytes - 1));
      const piece = pool.subarray(start, Math.min(poolBytes, start + left));
      left -= piece.length;
      yield piece;
    }
    if (one.size > 0) yield Buffer.alloc(padding(one.size));
  }
  yield endOfArchive;
}

async function* hashed(source: AsyncIterable<Buffer>, hash: ReturnType<typeof createHash>): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    hash.update(chunk);
    yield chunk;
  }
}

/** makeSynthetic writes the image for linux/amd64 as an OCI layout; a layout that is there already is the same. */
export async function makeSynthetic(host: Host, directory: string, size: SyntheticSize): Promise<void> {
  if (existsSync(directory)) return;
  const partial = `${directory}.partial`;
  await rm(partial, { recursive: true, force: true });
  const layout = await createLayout(host, partial);
  const pool = makePool();
  const layers: Descriptor[] = [];
  const diffIds: string[] = [];
  for (let layer = 0; layer < size.layers; layer += 1) {
    const hash = createHash('sha256');
    const blob = await layout.put(gzip(hashed(layerTar(layer, size, pool), hash)));
    layers.push({ mediaType: mediaTypes.layerGzip, ...blob });
    diffIds.push(`sha256:${hash.digest('hex')}`);
  }
  const platform = toOciPlatform('linux/amd64');
  const config = {
    ...platform,
    config: { User: '1001:0', WorkingDir: '/workspace', Cmd: ['/usr/bin/true'] },
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: diffIds.map((_, at) => ({ created_by: `synthetic layer ${at}` })),
  };
  const configBlob = await layout.put(Readable.from([Buffer.from(JSON.stringify(config))]));
  const manifest = await layout.putJson(mediaTypes.manifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, ...configBlob },
    layers,
  });
  const annotations = { 'org.opencontainers.image.ref.name': 'latest' };
  await layout.writeIndex({ schemaVersion: 2, manifests: [{ ...manifest, platform, annotations }] });
  await rename(partial, directory);
}
