import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { digestOf, mediaTypes, type Descriptor } from '../../src/core/index.ts';
import { walkSource } from '../../src/oci/index.ts';
import { configOf } from './support.ts';

/** Walks an image without layers inside so many indexes. */
async function walked(indexes: number): Promise<string> {
  const blobs = new Map<string, Buffer>();
  const keep = (mediaType: string, bytes: Buffer): Descriptor => {
    blobs.set(digestOf(bytes), bytes);
    return { mediaType, digest: digestOf(bytes), size: bytes.length };
  };
  const json = (mediaType: string, more: object): Descriptor =>
    keep(mediaType, Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...more })));
  const config = keep(mediaTypes.config, configOf({ layers: [] }));
  let root = json(mediaTypes.manifest, { config, layers: [] });
  for (let more = 0; more < indexes; more += 1) root = json(mediaTypes.index, { manifests: [root] });
  const source = {
    name: 'it',
    root: async () => root,
    open: async ({ digest }: Descriptor) => Readable.from([blobs.get(digest) ?? Buffer.alloc(0)]),
    close: async () => undefined,
  };
  return await walkSource(source).then(
    (pictures) => `${pictures.length} image`,
    (error: unknown) => (error as { readonly code: string }).code,
  );
}

test.each([
  [0, '1 image'],
  [5, '1 image'],
  [6, 'oci/media-type'],
])('an image inside %s indexes: %s', async (indexes, outcome) => {
  expect(await walked(indexes)).toBe(outcome);
});
