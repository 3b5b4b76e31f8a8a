import { describe, expect, test } from 'vitest';
import { mediaTypes } from '../../src/core/index.ts';
import { signTree, unverified, verifyTree } from '../../src/flows/trust/index.ts';
import { imageSignature, signStatement } from '../../src/sigstore/index.ts';
import { on } from '../support/registries/faults.ts';
import { attachRaw, codes, rootReport } from './attach-raw.ts';
import { stage, useKit, verifierFor } from './stage.ts';

const kit = useKit();

describe('a tree', () => {
  test('whose index is signed and one child is not is refused, and the child is named', async () => {
    const here = await stage(kit());
    const { root, amd64, arm64 } = here.image;
    for (const node of [root, amd64])
      await attachRaw(here, node, await signStatement(here.host, here.signing.signer, imageSignature(node.digest)));
    const verifier = await verifierFor(kit(), { require: ['signature'] });
    const report = await verifyTree(here.registry, here.ref, verifier);
    expect(report.ok).toBe(false);
    expect(report.nodes.filter(({ missing }) => missing.length > 0).map(({ name, digest }) => [name, digest])).toEqual([
      ['linux/arm64', arm64.digest],
    ]);
    expect(unverified(report).facts.found).toBe(`linux/arm64 ${arm64.digest} lacks signature`);
  });

  test('whose referrers were stripped is refused on every node', async () => {
    const here = await stage(kit(), { referrers: 'api' });
    await here.sign();
    await here.attest();
    const stored = here.memory?.store.repository(here.repo.repository);
    for (const [digest, { bytes }] of stored?.manifests ?? [])
      if (bytes.includes('"subject"')) stored?.manifests.delete(digest);
    const report = await verifyTree(here.registry, here.ref, here.signing.verifier);
    expect(report.ok).toBe(false);
    expect(report.nodes.every(({ missing, proofs }) => missing.length > 0 && proofs.length === 0)).toBe(true);
  });

  test('one bundle stripped from one child is named', async () => {
    const here = await stage(kit(), { referrers: 'api' });
    await here.sign();
    await here.attest();
    const { referrers } = await here.registry.referrers(here.repo, here.image.amd64.digest);
    const sbom = referrers.find(
      ({ descriptor }) => descriptor.annotations?.['dev.sigstore.bundle.predicateType'] === 'https://cyclonedx.org/bom',
    );
    here.memory?.store.repository(here.repo.repository).manifests.delete(sbom?.descriptor.digest ?? '');
    const report = await verifyTree(here.registry, here.ref, here.signing.verifier);
    expect(report.nodes.map(({ name, missing }) => [name, missing])).toEqual([
      ['index', []],
      ['linux/amd64', ['sbom']],
      ['linux/arm64', []],
    ]);
  });
});

describe('a list of referrers', () => {
  /** The fallback index of the root with its entries changed. */
  async function rewriteFallback(
    here: Awaited<ReturnType<typeof stage>>,
    change: (entry: Record<string, unknown>) => void,
  ) {
    const tag = here.image.root.digest.replace(':', '-');
    const { bytes } = await here.registry.manifest({ ...here.repo, tag });
    const index = JSON.parse(bytes.toString()) as { manifests: Record<string, unknown>[] };
    index.manifests.forEach(change);
    await here.registry.put(here.repo, Buffer.from(JSON.stringify(index)), mediaTypes.index, tag);
  }

  test('as cosign writes it, with the wrong artifact type and no annotations, is read all the same', async () => {
    const here = await stage(kit(), { referrers: 'none' });
    await here.sign();
    await rewriteFallback(here, (entry) => {
      entry['artifactType'] = mediaTypes.empty;
      delete entry['annotations'];
    });
    expect((await rootReport(here)).ok).toBe(true);
  });

  test('that names a referrer of another subject is refused', async () => {
    const here = await stage(kit(), { referrers: 'none' });
    const { root, amd64 } = here.image;
    const theirs = await attachRaw(
      here,
      amd64,
      await signStatement(here.host, here.signing.signer, imageSignature(root.digest)),
    );
    const { bytes } = await here.registry.manifest({ ...here.repo, digest: theirs });
    const entry = { mediaType: mediaTypes.manifest, digest: theirs, size: bytes.length };
    const index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [entry] };
    const tag = root.digest.replace(':', '-');
    await here.registry.put(here.repo, Buffer.from(JSON.stringify(index)), mediaTypes.index, tag);
    const report = await rootReport(here);
    expect([report.ok, codes(report)]).toEqual([false, ['other-subject']]);
  });

  test('that names what is gone is refused', async () => {
    const here = await stage(kit(), { referrers: 'none' });
    await here.sign();
    const stored = here.memory?.store.repository(here.repo.repository);
    for (const [digest, { bytes }] of stored?.manifests ?? [])
      if (bytes.includes('"subject"')) stored?.manifests.delete(digest);
    const report = await rootReport(here);
    expect([report.ok, codes(report)]).toEqual([false, ['gone']]);
  });

  test('that cannot be read is an error, not an answer', async () => {
    const here = await stage(kit(), { referrers: 'api' });
    await here.sign();
    here.misbehave((request, response, path) => {
      if (!/\/referrers\//.test(path)) return false;
      request.resume();
      response.writeHead(403).end();
      return true;
    });
    await expect(rootReport(here)).rejects.toMatchObject({ code: 'registry/denied' });
  });
});

describe('a registry that', () => {
  test('swaps the manifest between resolving and reading is found out by the digest', async () => {
    const here = await stage(kit());
    await here.sign();
    await here.registry.moveTag({ ...here.repo, tag: 'v1' }, here.image.root.digest);
    const swapped = here.memory?.store.find(here.repo.repository, here.image.amd64.digest)?.manifest;
    here.misbehave((request, response, path) => {
      if (!on('GET', new RegExp(`/manifests/${here.image.root.digest}$`))(request, path)) return false;
      response.writeHead(200, { 'content-type': mediaTypes.manifest }).end(swapped?.bytes);
      return true;
    });
    await expect(verifyTree(here.registry, { ...here.repo, tag: 'v1' }, here.signing.verifier)).rejects.toMatchObject({
      code: 'registry/digest-mismatch',
    });
  });

  test('swaps a bundle’s bytes is found out by the digest', async () => {
    const here = await stage(kit());
    await here.sign();
    here.misbehave((request, response, path) => {
      if (!on('GET', /\/blobs\//)(request, path)) return false;
      response.writeHead(200).end(Buffer.alloc(9000, 32));
      return true;
    });
    const report = await rootReport(here);
    expect([report.ok, codes(report)]).toEqual([false, ['wrong-bytes']]);
  });

  test('takes no writes leaves nothing half done, and says so', async () => {
    const here = await stage(kit());
    here.misbehave((request, response) => {
      if (request.method === 'GET' || request.method === 'HEAD') return false;
      request.resume();
      response.writeHead(403, { 'content-type': 'application/json' }).end('{"errors":[{"code":"DENIED"}]}');
      return true;
    });
    await expect(here.sign()).rejects.toMatchObject({ code: 'registry/denied', exit: 3 });
    here.misbehave(() => false);
    expect((await here.registry.referrers(here.repo, here.image.root.digest)).referrers).toEqual([]);
  });

  test('breaks off in the middle is mended by a second run, which signs only what is missing', async () => {
    const here = await stage(kit());
    let puts = 0;
    here.misbehave((request, response, path) => {
      if (request.method !== 'PUT' || !/\/manifests\//.test(path) || (puts += 1) < 2) return false;
      request.resume();
      response.writeHead(403).end();
      return true;
    });
    await expect(here.sign()).rejects.toMatchObject({ code: 'registry/denied' });
    here.misbehave(() => false);
    const again = await signTree(here.signing, here.ref);
    expect(again.bundles.map(({ how }) => how).sort()).toEqual(['attached', 'attached', 'present']);
    expect((await rootReport(here)).ok).toBe(true);
  });
});
