import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { pack, type Header } from 'tar-stream';
import { onTestFinished } from 'vitest';
import type { BaseImage } from '../../src/oci/index.ts';
import { parseImageConfig, parseManifest, type Digest } from '../../src/core/index.ts';

export type TestEntry = Partial<Header> & { name: string; body?: string | Buffer };

export const sha256 = (bytes: Buffer | string): Digest =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;

/** A tar written by tar-stream, which shares no code with the reader and writer under test. */
export async function tar(entries: readonly TestEntry[]): Promise<Buffer> {
  const stream = pack();
  for (const { body, ...header } of entries) {
    const defaults: Partial<Header> = { mtime: new Date(1_700_000_000_000), mode: 0o644, uid: 0, gid: 0 };
    const merged = { ...defaults, ...(header.type === 'directory' ? { mode: 0o755 } : {}), ...header };
    if (body === undefined) stream.entry({ ...merged, size: 0 });
    else stream.entry(merged, body);
  }
  stream.finalize();
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

export interface TestImage {
  readonly layers: readonly Buffer[];
  readonly config?: Record<string, unknown>;
  readonly architecture?: string;
  /** What an OCI archive lists and does not hold. */
  readonly absent?: string;
}

export function configOf(image: TestImage): Buffer {
  const { architecture = 'amd64', layers, config = {} } = image;
  const history = layers.map((_layer, index) => ({ created: '2026-05-05T05:05:05.5Z', created_by: `step ${index}` }));
  return Buffer.from(
    JSON.stringify({
      architecture,
      os: 'linux',
      created: '2026-05-05T05:05:05.555Z',
      history,
      rootfs: { type: 'layers', diff_ids: layers.map((layer) => sha256(layer)) },
      ...config,
    }),
  );
}

/** What `docker save` of 20.10 writes: a directory a layer, duplicates as links, manifest.json last. */
export async function dockerArchive(image: TestImage): Promise<Buffer> {
  const config = configOf(image);
  const id = sha256(config).slice(7);
  const first = new Map<string, string>();
  const members: TestEntry[] = [];
  const names = image.layers.map((layer, index) => {
    const digest = sha256(layer);
    const directory = sha256(`${digest}${index}`).slice(7);
    const name = `${directory}/layer.tar`;
    members.push({ name: `${directory}/`, type: 'directory' }, { name: `${directory}/VERSION`, body: '1.0' });
    members.push({ name: `${directory}/json`, body: '{"id":"x"}' });
    const twin = first.get(digest);
    if (twin === undefined) members.push({ name, body: layer });
    else members.push({ name, type: 'symlink', linkname: `../${twin}` });
    first.set(digest, first.get(digest) ?? name);
    return name;
  });
  const manifest = [{ Config: `${id}.json`, RepoTags: null, Layers: names }];
  members.push({ name: `${id}.json`, body: config }, { name: 'manifest.json', body: JSON.stringify(manifest) });
  return tar(members);
}

/** Blobs, manifest and base of an image whose layers are compressed as a registry holds them. */
export function registryImage(image: TestImage): { base: BaseImage; blobs: Map<string, Buffer>; manifest: Buffer } {
  const config = configOf(image);
  const blobs = new Map<string, Buffer>([[sha256(config), config]]);
  const layers = image.layers.map((layer) => {
    const blob = gzipSync(layer, { level: 9 });
    blobs.set(sha256(blob), blob);
    return { mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip', digest: sha256(blob), size: blob.length };
  });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: sha256(config),
        size: config.length,
      },
      layers: layers.map((layer) => ({ ...layer, mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip' })),
    }),
  );
  blobs.set(sha256(manifest), manifest);
  const base: BaseImage = {
    digest: sha256('the index'),
    manifestDigest: sha256(manifest),
    manifest: { ...parseManifest(manifest), layers },
    config: parseImageConfig(config),
    open: async ({ digest }) => Readable.from([blobs.get(digest) ?? Buffer.alloc(0)]),
  };
  return { base, blobs, manifest };
}

/** What BuildKit's OCI exporter and Docker's containerd store write: nested index, gzip, attestation. */
export async function ociArchive(image: TestImage): Promise<Buffer> {
  const { blobs, manifest } = registryImage(image);
  const statement = Buffer.from('{"_type":"https://in-toto.io/Statement/v0.1"}');
  const attestation = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: sha256(statement),
        size: statement.length,
      },
      layers: [],
    }),
  );
  const type = 'application/vnd.oci.image.manifest.v1+json';
  const nested = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [
        {
          mediaType: type,
          digest: sha256(manifest),
          size: manifest.length,
          platform: { os: 'linux', architecture: image.architecture ?? 'amd64' },
        },
        {
          mediaType: type,
          digest: sha256(attestation),
          size: attestation.length,
          platform: { os: 'unknown', architecture: 'unknown' },
          annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
        },
        // Listed, never fetched: Docker's containerd store does so.
        {
          mediaType: type,
          digest: sha256('absent'),
          size: 6,
          platform: { os: 'linux', architecture: image.absent ?? 's390x' },
        },
      ],
    }),
  );
  for (const blob of [statement, attestation, nested]) blobs.set(sha256(blob), blob);
  const index = JSON.stringify({
    schemaVersion: 2,
    manifests: [{ mediaType: 'application/vnd.oci.image.index.v1+json', digest: sha256(nested), size: nested.length }],
  });
  const names = [...blobs.keys()].sort();
  return tar([
    ...names.map((digest) => ({ name: `blobs/sha256/${digest.slice(7)}`, body: blobs.get(digest) ?? '' })),
    { name: 'index.json', body: index },
    { name: 'oci-layout', body: '{"imageLayoutVersion":"1.0.0"}' },
  ]);
}

/** chunks cuts bytes oddly, so that headers and blobs fall across borders. */
export async function* chunks(bytes: Buffer, size = 777): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'oci-test-'));
  onTestFinished(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  return directory;
}
