import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { openFileSource, parseSource, walkSource } from '../../src/oci/index.ts';
import { fakeHost } from '../support/fake-host.ts';
import { configOf, tar, temporaryDirectory } from './support.ts';

const host = fakeHost();
const layer = await tar([{ name: 'a', body: 'content' }]);

/** One zstd frame of one raw block (RFC 8878). */
function zstdFrame(bytes: Buffer): Buffer {
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32LE(bytes.length, 5);
  header.writeUIntLE((bytes.length << 3) | 1, 9, 3);
  return Buffer.concat([header, bytes]);
}

interface Case {
  readonly mediaType?: string;
  readonly bytes?: Buffer;
  readonly algorithm?: 'sha256' | 'sha512';
  /** Documents lie in their descriptors, and nowhere else. */
  readonly inline?: boolean;
  readonly damage?: (data: string) => string;
}

async function walk({ mediaType, bytes = layer, algorithm = 'sha256', inline, damage = (data) => data }: Case) {
  const directory = temporaryDirectory();
  const put = (content: Buffer, type: string, embed = false) => {
    const hex = createHash(algorithm).update(content).digest('hex');
    const descriptor = { mediaType: type, digest: `${algorithm}:${hex}`, size: content.length };
    if (embed) return { ...descriptor, data: damage(content.toString('base64')) };
    mkdirSync(join(directory, 'blobs', algorithm), { recursive: true });
    writeFileSync(join(directory, 'blobs', algorithm, hex), content);
    return descriptor;
  };
  const diffId = `${algorithm}:${createHash(algorithm).update(layer).digest('hex')}`;
  const config = configOf({ layers: [layer], config: { rootfs: { type: 'layers', diff_ids: [diffId] } } });
  const manifest = {
    schemaVersion: 2,
    config: put(config, 'application/vnd.oci.image.config.v1+json', inline),
    layers: [put(bytes, mediaType ?? 'application/vnd.oci.image.layer.v1.tar', inline)],
  };
  const root = put(Buffer.from(JSON.stringify(manifest)), 'application/vnd.oci.image.manifest.v1+json', inline);
  writeFileSync(join(directory, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [root] }));
  writeFileSync(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  const [picture] = await walkSource(await openFileSource(host, parseSource(`oci:${directory}`)));
  return [...(picture?.tree.keys() ?? [])];
}

it.each<[string, Case]>([
  [
    'zstd, as Docker names it',
    { mediaType: 'application/vnd.docker.image.rootfs.diff.tar.zstd', bytes: zstdFrame(layer) },
  ],
  ['foreign', { mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', bytes: gzipSync(layer) }],
  [
    'non-distributable',
    { mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip', bytes: gzipSync(layer) },
  ],
  ['named by sha512, diffIDs and all', { algorithm: 'sha512' }],
  ['inline in its descriptor, as all documents are', { inline: true }],
])('a layer that is %s is read', async (_name, image) => {
  expect(await walk(image)).toEqual(['/', '/a']);
});

it('a sha512 digest is held against the bytes', async () => {
  const bytes = Buffer.from(layer);
  bytes[600] = 1;
  await expect(walk({ algorithm: 'sha512', bytes })).rejects.toMatchObject({
    code: 'oci/digest-mismatch',
    facts: { expected: expect.stringMatching(/^sha512:/) as string },
  });
});

it('inline data is held against digest and size', async () => {
  const damage = (data: string) => Buffer.from(data, 'base64').fill(0x20, 0, 1).toString('base64');
  await expect(walk({ inline: true, damage })).rejects.toMatchObject({ code: 'oci/digest-mismatch' });
  await expect(walk({ inline: true, damage: (data) => data.slice(4) })).rejects.toMatchObject({
    code: 'oci/size-mismatch',
  });
});

it.each<[string, Case, object]>([
  [
    'plain bytes as gzip',
    { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip' },
    { found: 'no compression, by its first bytes', expected: 'gzip (application/vnd.oci.image.layer.v1.tar+gzip)' },
  ],
  [
    'gzip as plain bytes',
    { bytes: gzipSync(layer) },
    { found: 'gzip, by its first bytes', expected: 'no compression (application/vnd.oci.image.layer.v1.tar)' },
  ],
  [
    'zstd as gzip',
    { mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip', bytes: zstdFrame(layer) },
    { found: 'zstd, by its first bytes', expected: 'gzip (application/vnd.docker.image.rootfs.diff.tar.gzip)' },
  ],
])('%s is an error that names both', async (_name, image, facts) => {
  await expect(walk(image)).rejects.toMatchObject({ code: 'oci/compression', facts });
});
