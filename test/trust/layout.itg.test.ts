import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { blobPath, digestOf, hexOf, mediaTypes, type Descriptor } from '../../src/core/index.ts';
import { openLayoutImage, verifyTree } from '../../src/flows/trust/index.ts';
import { createLayout } from '../../src/oci/index.ts';
import { start } from '../flows/project.ts';
import { policyText } from '../sigstore/policy-text.ts';
import { stage, useKit, verifierFor, type Stage } from '../sigstore/stage.ts';
import { fakeHost, type FakeHost } from '../support/fake-host.ts';

const kit = useKit();
let base: string;
let directory: string;
let image: Stage['image'];

/** A host without a network: every request is counted, and fails. */
function offline(): { host: FakeHost; asked: string[] } {
  const asked: string[] = [];
  const host = fakeHost({
    now: new Date(),
    fetch: async (url) => {
      asked.push(url);
      return Promise.reject(new Error('there is no network'));
    },
  });
  return { host, asked };
}

/** Saves the image with everything attached to it, each referrer in index.json, as `oras copy -r` does. */
async function save(here: Stage, to: string): Promise<void> {
  const layout = await createLayout(here.host, to);
  const keep = async (digest: Descriptor['digest'], found: Map<string, Descriptor>): Promise<void> => {
    const { descriptor, bytes, node } = await here.registry.manifest({ ...here.repo, digest });
    await layout.put(Readable.from([bytes]), descriptor);
    for (const blob of node.blobs)
      if (!(await layout.has(blob))) await layout.put(here.registry.blob(here.repo, blob), blob);
    for (const child of node.children) await keep(child.digest, found);
    for (const { descriptor: one } of (await here.registry.referrers(here.repo, digest)).referrers) {
      await keep(one.digest, found);
      found.set(one.digest, { mediaType: one.mediaType, digest: one.digest, size: one.size });
    }
  };
  const found = new Map<string, Descriptor>();
  await keep(here.image.root.digest, found);
  const named = { ...here.image.root, annotations: { 'org.opencontainers.image.ref.name': 'stable' } };
  await layout.writeIndex({ schemaVersion: 2, manifests: [...found.values(), named] });
}

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'layout-'));
  directory = join(base, 'saved');
  const here = await stage(kit());
  await here.sign();
  await here.attest();
  image = here.image;
  await save(here, directory);
}, 120_000);
afterAll(() => rm(base, { recursive: true, force: true }));

const copy = async (name: string): Promise<string> => {
  const to = join(base, name);
  await cp(directory, to, { recursive: true });
  return to;
};

async function verify(at: string, name?: string) {
  const { host, asked } = offline();
  const { registry, ref } = await openLayoutImage(host, at, name);
  const report = await verifyTree(registry, ref, await verifierFor(kit()));
  expect(asked).toEqual([]);
  return report;
}

async function attached(at: string, to = image.root.digest): Promise<Descriptor[]> {
  const { host } = offline();
  const { registry, ref } = await openLayoutImage(host, at, 'stable');
  return [...(await registry.visitReferrers(ref, to, ({ descriptor }) => descriptor)).visited];
}

describe('an image in a layout', () => {
  test.each([undefined, 'stable'])('named %s is proven on every node, and no request is made', async (name) => {
    const report = await verify(directory, name);
    expect(report).toMatchObject({ ok: true, digest: image.root.digest });
    expect(report.nodes.map(({ proofs }) => proofs.length)).toEqual([2, 3, 3]);
  });

  test('without what was attached is not proven', async () => {
    const at = await copy('bare');
    await writeFile(join(at, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [image.root] }));
    const report = await verify(at);
    expect(report.ok).toBe(false);
    expect(report.nodes.map(({ missing }) => missing.length)).toEqual([2, 3, 3]);
  });

  test('with its referrers under the name of the fallback tag, as regclient keeps them, is proven', async () => {
    const at = await copy('fallback');
    const layout = await createLayout(fakeHost(), at);
    const index = JSON.parse(await readFile(join(at, 'index.json'), 'utf8')) as { manifests: Descriptor[] };
    const root = index.manifests.filter(({ annotations }) => annotations !== undefined);
    const lists: Descriptor[] = [];
    for (const subject of [image.root, image.amd64, image.arm64]) {
      const manifests = await attached(directory, subject.digest);
      const list = { schemaVersion: 2, mediaType: mediaTypes.index, manifests };
      const annotations = { 'org.opencontainers.image.ref.name': `sha256-${hexOf(subject.digest)}` };
      lists.push({ ...(await layout.putJson(mediaTypes.index, list)), annotations });
    }
    await layout.writeIndex({ schemaVersion: 2, manifests: [...lists, ...root] });
    expect((await verify(at)).ok).toBe(true);
  });

  test('a referrer whose manifest is gone or changed never counts, and the rest is still read', async () => {
    const at = await copy('damaged');
    const [first, second] = await attached(at);
    if (first === undefined || second === undefined) throw new Error('two are attached');
    await rm(join(at, blobPath(first.digest)));
    await writeFile(join(at, blobPath(second.digest)), '{}');
    const report = await verify(at, 'stable');
    expect(report.ok).toBe(false);
    expect(report.nodes[0]?.missing).toHaveLength(2);
    expect(report.nodes[0]?.refused.map(({ code }) => code).sort()).toEqual(['gone', 'wrong-bytes']);
    expect(report.nodes[1]?.missing).toEqual([]);
  });

  test('whose own manifest was changed is not read', async () => {
    const at = await copy('swapped');
    await writeFile(join(at, blobPath(image.amd64.digest)), '{}');
    await expect(verify(at, 'stable')).rejects.toMatchObject({ code: 'registry/digest-mismatch', exit: 3 });
  });

  test('that is one of several must be named', async () => {
    const at = await copy('two');
    const manifests = [image.amd64, image.arm64];
    await writeFile(join(at, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
    await expect(verify(at)).rejects.toMatchObject({ code: 'oci/reference', exit: 2 });
    expect((await verify(at, image.arm64.digest)).digest).toBe(image.arm64.digest);
    expect((await verify(at, '@0')).digest).toBe(image.amd64.digest);
  });

  test('is never written to', async () => {
    const { registry, ref } = await openLayoutImage(offline().host, directory, 'stable');
    await expect(registry.attach(ref, Buffer.from('{}'))).rejects.toMatchObject({ code: 'trust/layout' });
    await expect(registry.moveTag({ ...ref, tag: 'x' }, digestOf(Buffer.from('')))).rejects.toMatchObject({ exit: 2 });
  });
});

test('the command reads a layout and opens no connection', async () => {
  const connections: string[] = [];
  const proxy = createServer((request, response) => {
    connections.push(request.url ?? '');
    response.writeHead(503).end();
  });
  proxy.on('connect', (request, socket) => {
    connections.push(request.url ?? '');
    socket.destroy();
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const root = join(base, 'trusted_root.json');
  await writeFile(root, JSON.stringify(kit().trustedRoot));
  const before = await readdir(join(directory, 'blobs/sha256'));
  await writeFile(join(base, 'policy.yaml'), policyText());
  const given = ['--policy', join(base, 'policy.yaml'), '--trusted-root', root, '--json'];
  const env = { HTTP_PROXY: address, HTTPS_PROXY: address, http_proxy: address, https_proxy: address, NO_PROXY: '' };
  const { code, stdout, stderr } = await start(['verify', `oci:${directory}:stable`, ...given], env).ended;
  proxy.close();
  expect(code, stderr).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ ok: true, reference: `oci:${directory}@${image.root.digest}` });
  expect(connections).toEqual([]);
  expect(await readdir(join(directory, 'blobs/sha256'))).toEqual(before);
});
