import { join } from 'node:path';
import type { Readable } from 'node:stream';
import {
  blobPath,
  digestOf,
  layoutShape,
  maxManifestBytes,
  mediaTypes,
  parseIndex,
  readJson,
  type Descriptor,
  type Index,
} from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import { readVerified, sizeMismatch, verified, type Expected } from '../verify.ts';
import { putBlob } from './put.ts';

/** Layout is one OCI image layout directory (image-spec image-layout.md). */
export interface Layout {
  readonly directory: string;
  /** There with the stated size; the bytes are verified when they are read. */
  has(blob: Expected): Promise<boolean>;
  /** Streams bytes in under their digest. Throws `oci/digest-mismatch` or `oci/size-mismatch` and keeps nothing. */
  put(bytes: AsyncIterable<Uint8Array>, expected?: Expected): Promise<Expected>;
  /** Keeps a JSON document and gives its descriptor. */
  putJson(mediaType: string, document: unknown): Promise<Descriptor>;
  /** The bytes, verified as they are read. Throws `oci/blob-missing`. */
  open(blob: Expected): Promise<Readable>;
  /** The file of a blob, only its length checked: for whoever verifies the bytes himself. Throws as `open` does. */
  file(blob: Expected): Promise<string>;
  /** Where a blob lies, or would. */
  path(blob: Expected): string;
  /** The bytes of that file, from `start` on. */
  openRaw(blob: Expected, start?: number): Promise<Readable>;
  /** A whole small blob, verified. */
  read(blob: Expected, limit?: number): Promise<Buffer>;
  /** index.json; undefined when nothing was written yet. */
  index(): Promise<Index | undefined>;
  /** The image of a layout that this program wrote, the first of index.json; undefined when it holds none. */
  root(): Promise<Descriptor | undefined>;
  /** Replaces index.json: whole or not at all. */
  writeIndex(index: Index): Promise<void>;
}

/** blobsOf returns the directory of a layout's blobs, where temporary files of a build lie, too. */
export const blobsOf = ({ directory }: Layout): string => join(directory, 'blobs', 'sha256');

const marker = JSON.stringify({ imageLayoutVersion: '1.0.0' });

function notALayout(directory: string, found: string): AppError {
  return new AppError('oci/not-a-layout', 'usage', `${directory} is not an OCI image layout`, {
    expected: 'a file oci-layout with imageLayoutVersion 1.0.0, index.json and blobs/',
    found,
    where: { file: join(directory, 'oci-layout') },
  });
}

function readMarker(text: string, file: string): unknown {
  try {
    return readJson(text, 'oci-layout', { shape: layoutShape, file });
  } catch (error) {
    if (error instanceof AppError && error.code === 'core/oci-json') return text;
    throw error;
  }
}

async function checkMarker(host: Host, directory: string): Promise<void> {
  const path = join(directory, 'oci-layout');
  if ((await host.files.stat(path)) === undefined) throw notALayout(directory, 'no file oci-layout');
  const text = await host.files.readText(path, 4096);
  const marker = readMarker(text, path);
  const version =
    typeof marker === 'object' && marker !== null && 'imageLayoutVersion' in marker
      ? marker.imageLayoutVersion
      : marker;
  if (version !== '1.0.0') throw notALayout(directory, `imageLayoutVersion ${JSON.stringify(version).slice(0, 80)}`);
}

function makeLayout(host: Host, directory: string): Layout {
  const fileOf = (blob: Expected) => join(directory, blobPath(blob.digest));
  const layout: Layout = {
    directory,
    path: fileOf,
    async has(blob) {
      const stat = await host.files.stat(fileOf(blob));
      return stat?.type === 'file' && stat.size === blob.size;
    },
    put: (bytes, expected) => putBlob(host, blobsOf(layout), bytes, expected),
    async putJson(mediaType, document) {
      const bytes = Buffer.from(JSON.stringify(document));
      const expected = { digest: digestOf(bytes), size: bytes.length };
      if (!(await layout.has(expected))) await host.files.write(fileOf(expected), bytes);
      return { mediaType, ...expected };
    },
    open: async (blob) => verified(await layout.openRaw(blob), blob),
    openRaw: async (blob, start = 0) => host.files.openRead(await layout.file(blob), { start }),
    async file(blob) {
      const path = fileOf(blob);
      const stat = await host.files.stat(path);
      if (stat?.type !== 'file') {
        throw new AppError('oci/blob-missing', 'upstream', `the layout ${directory} lacks a blob`, {
          expected: blob.digest,
          found: stat === undefined ? 'no such file' : `a ${stat.type}`,
          where: { file: path },
          hint: 'build or fetch the image again',
        });
      }
      if (stat.size !== blob.size) throw sizeMismatch(blob.digest, blob.size, `${stat.size} bytes`);
      return path;
    },
    read: async (blob, limit = maxManifestBytes) => readVerified(await layout.open(blob), blob, limit),
    async index() {
      const path = join(directory, 'index.json');
      if ((await host.files.stat(path)) === undefined) return undefined;
      return parseIndex(await host.files.read(path, maxManifestBytes), path);
    },
    root: async () => (await layout.index())?.manifests[0],
    writeIndex: (index) =>
      host.files.write(join(directory, 'index.json'), JSON.stringify({ ...index, mediaType: mediaTypes.index })),
  };
  return layout;
}

/** openLayout opens a layout that is there. Throws `oci/not-a-layout`. */
export async function openLayout(host: Host, directory: string): Promise<Layout> {
  await checkMarker(host, directory);
  return makeLayout(host, directory);
}

/** createLayout opens the layout, making an empty one where nothing is; it never overwrites another directory. */
export async function createLayout(host: Host, directory: string): Promise<Layout> {
  const stat = await host.files.stat(directory);
  if (stat !== undefined && stat.type !== 'directory') throw notALayout(directory, `a ${stat.type}`);
  if (stat === undefined || (await host.files.list(directory)).length === 0) {
    await host.files.makeDirectory(join(directory, 'blobs', 'sha256'));
    await host.files.write(join(directory, 'oci-layout'), marker);
  }
  return openLayout(host, directory);
}
