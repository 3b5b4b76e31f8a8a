import { createReadStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { AppError } from '../errors/index.ts';
import type { Blob, BlobStore } from './blobs.ts';
import { startDaemon, type Daemon } from './daemons.ts';
import type { StandIn } from './oci-image.ts';

/** startRegistry runs Debian's docker-registry on loopback, with data of its own. */
export async function startRegistry(directory: string, port: number): Promise<Daemon> {
  await mkdir(directory, { recursive: true });
  const configuration = {
    version: '0.1',
    log: { level: 'warn', accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: join(directory, 'data') },
      delete: { enabled: true },
      maintenance: { uploadpurging: { enabled: false } },
    },
    http: { addr: `127.0.0.1:${port}`, secret: 'the lab is on loopback and has no secrets' },
  };
  const file = join(directory, 'config.json');
  // JSON is YAML, and needs no quoting rules of its own.
  await writeFile(file, JSON.stringify(configuration));
  const ready = async (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${port}/v2/`).then(
      (answer) => answer.ok,
      () => false,
    );
  // Telemetry variables of the caller's environment must not reach it.
  const env = { PATH: process.env['PATH'], HOME: directory };
  return startDaemon('docker-registry', 'docker-registry', ['serve', file], join(directory, 'log'), ready, { env });
}

async function expectStatus(what: string, answer: Response, statuses: readonly number[]): Promise<Response> {
  if (statuses.includes(answer.status)) return answer;
  throw new AppError('lab/registry', 'upstream', `the lab's registry refused ${what}`, {
    expected: statuses.join(' or '),
    found: `${answer.status}: ${(await answer.text()).slice(0, 500)}`,
  });
}

async function pushBlob(base: string, store: BlobStore, blob: Blob): Promise<void> {
  const there = await fetch(`${base}/blobs/${blob.digest}`, { method: 'HEAD' });
  if (there.ok) return;
  const begun = await expectStatus('an upload', await fetch(`${base}/blobs/uploads/`, { method: 'POST' }), [202]);
  const location = new URL(begun.headers.get('location') ?? '', base);
  location.searchParams.set('digest', blob.digest);
  const sent = await fetch(location, {
    method: 'PUT',
    headers: { 'content-length': String(blob.size), 'content-type': 'application/octet-stream' },
    body: Readable.toWeb(createReadStream(store.path(blob.digest))) as ReadableStream,
    duplex: 'half',
  });
  await expectStatus(blob.digest, sent, [201]);
}

async function pushManifest(base: string, store: BlobStore, blob: Blob, kind: string, name: string): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of store.read(blob.digest)) chunks.push(Buffer.from(chunk));
  const answer = await fetch(`${base}/manifests/${name}`, {
    method: 'PUT',
    headers: { 'content-type': `application/vnd.oci.image.${kind}.v1+json` },
    body: Buffer.concat(chunks),
  });
  await expectStatus(name, answer, [201]);
}

/** pushStandIn fills the registry from the blob store: blobs, manifests by digest, the index, its tag. */
export async function pushStandIn(registry: string, store: BlobStore, image: StandIn): Promise<void> {
  const base = `http://${registry}/v2/${image.repository}`;
  await Promise.all(image.blobs.map((blob) => pushBlob(base, store, blob)));
  for (const manifest of Object.values(image.manifests))
    await pushManifest(base, store, manifest, 'manifest', manifest.digest);
  await pushManifest(base, store, image.index, 'index', image.tag);
}
