import { describe, expect, test } from 'vitest';
import { digestOf, mediaTypes, type Descriptor, type Digest } from '../../src/core/index.ts';
import { signTree, verifyTree } from '../../src/flows/trust/index.ts';
import { bundleManifest, emptyConfig, emptyDescriptor, type BundleVerifier } from '../../src/sigstore/index.ts';
import { answer, on } from '../support/registries/faults.ts';
import { attachRaw, blobOf, codes, rootReport } from './attach-raw.ts';
import { stage, useKit, verifierFor, type Stage } from './stage.ts';

const kit = useKit();
const bundleType = 'application/vnd.dev.sigstore.bundle.v0.3+json';

/** Everything that is attached to the root is refused or holds, and the root itself is proven. */
async function report(here: Stage, changes: Readonly<Record<string, unknown>> = {}) {
  return await rootReport(here, await verifierFor(kit(), { require: ['signature'], nodes: 'root', ...changes }));
}

/** Puts a referrer of the root whose one layer is described as the caller likes. */
async function attachLayer(
  here: Stage,
  layer: Omit<Descriptor, 'mediaType'>,
  subject = here.image.root,
): Promise<Digest> {
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: bundleType,
    config: emptyDescriptor,
    layers: [{ mediaType: bundleType, digest: layer.digest, size: layer.size }],
    subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
  };
  await here.registry.upload(here.repo, blobOf(emptyConfig), emptyDescriptor);
  return (await here.registry.attach(here.repo, Buffer.from(JSON.stringify(manifest)))).descriptor.digest;
}

async function blob(here: Stage, bytes: Buffer): Promise<Descriptor> {
  const descriptor = { mediaType: bundleType, digest: digestOf(bytes), size: bytes.length };
  await here.registry.upload(here.repo, blobOf(bytes), descriptor);
  return descriptor;
}

const stored = (here: Stage) => {
  if (here.memory === undefined) throw new Error('not in memory');
  return here.memory.store.repository(here.repo.repository);
};

describe.each(['api', 'none'] as const)('beside a good signature (referrers by %s)', (referrers) => {
  test.each<[string, (here: Stage) => Promise<unknown>, string]>([
    [
      'a layer that claims more bytes than it has',
      async (here) => attachLayer(here, { ...(await blob(here, Buffer.from('{"a":1}'))), size: 900 }),
      'wrong-bytes',
    ],
    [
      'a layer that claims fewer bytes than it has',
      async (here) => attachLayer(here, { ...(await blob(here, Buffer.from('{"a":1}'))), size: 3 }),
      'wrong-bytes',
    ],
    [
      'a layer that claims to be too large',
      async (here) => attachLayer(here, { ...(await blob(here, Buffer.from('{"a":1}'))), size: 9_000_000 }),
      'too-large',
    ],
    [
      'a bundle whose blob was deleted',
      async (here) => {
        const descriptor = await blob(here, Buffer.from('{"b":1}'));
        await attachLayer(here, descriptor);
        stored(here).blobs.delete(descriptor.digest);
      },
      'gone',
    ],
    [
      'a bundle whose blob is another one',
      async (here) => {
        const descriptor = await blob(here, Buffer.from('{"c":1}'));
        await attachLayer(here, descriptor);
        stored(here).blobs.set(descriptor.digest, Buffer.from('{"d":1}'));
      },
      'wrong-bytes',
    ],
    ['a bundle that is not JSON', (here) => attachRaw(here, here.image.root, Buffer.from('{')), 'malformed-bundle'],
    [
      'a referrer whose manifest is a megabyte of annotations',
      async (here) => {
        const { bytes, layer } = bundleManifest(here.image.root, Buffer.from('{}'), 'x'.repeat(1_000_000), 'now');
        await here.registry.upload(here.repo, blobOf(emptyConfig), emptyDescriptor);
        await here.registry.upload(here.repo, blobOf(Buffer.from('{}')), layer);
        await here.registry.attach(here.repo, bytes);
      },
      'too-large',
    ],
    [
      'a referrer that names one member twice',
      async (here) => {
        const { bytes, layer } = bundleManifest(here.image.root, Buffer.from('{}'), '', 'now');
        await here.registry.upload(here.repo, blobOf(emptyConfig), emptyDescriptor);
        await here.registry.upload(here.repo, blobOf(Buffer.from('{}')), layer);
        const { descriptor } = await here.registry.attach(here.repo, bytes);
        const twice = Buffer.from(bytes.toString().replace('{', '{"schemaVersion":2,'));
        stored(here).manifests.set(descriptor.digest, { bytes: twice, mediaType: mediaTypes.manifest });
      },
      'wrong-bytes',
    ],
  ])('%s is refused alone', async (_name, attack, code) => {
    const here = await stage(kit(), { referrers });
    await here.sign();
    await attack(here);
    const found = await report(here);
    expect([found.ok, codes(found)]).toEqual([true, [code]]);
    // And a second signer's run is not stopped by it either.
    expect((await signTree(here.signing, here.ref)).bundles.map(({ how }) => how)).toContain('present');
  });

  test('a registry that fails for one blob leaves the question open', async () => {
    const here = await stage(kit(), { referrers });
    await here.sign();
    const descriptor = await blob(here, Buffer.from('{"e":1}'));
    await attachLayer(here, descriptor);
    here.misbehave(answer(on('GET', new RegExp(descriptor.digest)), 500));
    await expect(report(here)).rejects.toMatchObject({ code: 'registry/upstream', exit: 3 });
    here.misbehave(answer(on('GET', new RegExp(descriptor.digest)), 401));
    await expect(report(here)).rejects.toMatchObject({ code: 'registry/unauthorized', exit: 3 });
  });
});

describe('more referrers than are opened', () => {
  /** Rubbish as a writer of the registry leaves it: without a blob, and without this client. */
  function flood(here: Stage, count: number): void {
    const { root } = here.image;
    for (let at = 0; at < count; at += 1) {
      const manifest = {
        schemaVersion: 2,
        mediaType: mediaTypes.manifest,
        artifactType: bundleType,
        config: emptyDescriptor,
        layers: [],
        subject: { mediaType: root.mediaType, digest: root.digest, size: root.size },
        annotations: { at: String(at) },
      };
      const bytes = Buffer.from(JSON.stringify(manifest));
      stored(here).manifests.set(digestOf(bytes), { bytes, mediaType: mediaTypes.manifest });
    }
  }

  test.each(['before', 'after'] as const)(
    '2,001 %s the signature: it is found, and the number of the rest is shown',
    async (where) => {
      const here = await stage(kit());
      await here.sign();
      const before = [...stored(here).manifests];
      flood(here, 2_001);
      // A registry that lists what was put first first.
      if (where === 'before')
        for (const [digest, manifest] of before) {
          stored(here).manifests.delete(digest);
          stored(here).manifests.set(digest, manifest);
        }
      const found = await report(here);
      expect(found.ok).toBe(true);
      expect(found.refused.at(-1)).toMatchObject({ source: '2 more referrers', code: 'too-many' });
      expect(found.refused).toHaveLength(2_000);
    },
    60_000,
  );

  test('an entry of the list that is no descriptor hides no other', async () => {
    const here = await stage(kit());
    await here.sign();
    const list = await here.registry.referrers(here.repo, here.image.root.digest);
    const manifests = [{ mediaType: 7 }, ...list.referrers.map(({ descriptor }) => descriptor)];
    here.misbehave(
      answer(on('GET', /\/referrers\//), 200, { 'content-type': mediaTypes.index }, JSON.stringify({ manifests })),
    );
    const found = await report(here);
    expect([found.ok, codes(found)]).toEqual([true, ['too-many']]);
  });
});

test('120 referrers to one blob of 8 MB: it is asked for once, and 100 such blobs are not all read', async () => {
  const here = await stage(kit());
  await here.sign();
  const big = (seed: number): Buffer => {
    const bytes = Buffer.alloc(8 * 1024 * 1024, 32);
    bytes.write(`{"seed":${seed}}`);
    return bytes;
  };
  const one = await blob(here, big(0));
  for (let at = 0; at < 120; at += 1) {
    const manifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      artifactType: bundleType,
      config: emptyDescriptor,
      layers: [{ ...one, annotations: { at: String(at) } }],
      subject: { mediaType: here.image.root.mediaType, digest: here.image.root.digest, size: here.image.root.size },
    };
    const bytes = Buffer.from(JSON.stringify(manifest));
    stored(here).manifests.set(digestOf(bytes), { bytes, mediaType: mediaTypes.manifest });
  }
  here.memory?.log.splice(0);
  const found = await report(here);
  expect(found.ok).toBe(true);
  expect(codes(found)).toEqual(Array.from({ length: 120 }, () => 'malformed-bundle'));
  expect(here.memory?.log.filter((line) => line.endsWith(one.digest))).toHaveLength(1);

  for (let seed = 1; seed < 12; seed += 1) await attachLayer(here, await blob(here, big(seed)));
  here.memory?.log.splice(0);
  const bounded = await report(here);
  expect(bounded.ok).toBe(true);
  expect(codes(bounded).filter((code) => code === 'too-large').length).toBeGreaterThanOrEqual(4);
  const read = here.memory?.log.filter((line) => line.startsWith('GET') && line.includes('/blobs/')) ?? [];
  expect(read.length).toBeLessThanOrEqual(3 + 64 / 8);
});

describe('the fallback tag', () => {
  const tagOf = ({ image }: Stage): string => image.root.digest.replace(':', '-');

  test.each<[string, (here: Stage) => Promise<unknown>]>([
    ['holds an image', async (here) => stored(here).tags.set(tagOf(here), here.image.amd64.digest)],
    [
      'holds an index whose entries are no descriptors',
      async (here) => {
        const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [7] }));
        stored(here).manifests.set(digestOf(bytes), { bytes, mediaType: mediaTypes.index });
        stored(here).tags.set(tagOf(here), digestOf(bytes));
      },
    ],
  ])('that %s is a finding, and signing again repairs it', async (_name, attack) => {
    const here = await stage(kit(), { referrers: 'none' });
    await here.sign();
    await attack(here);
    const found = await report(here);
    expect([found.ok, codes(found)]).toEqual([false, ['unreadable-list']]);
    await here.sign();
    expect((await report(here)).ok).toBe(true);
  });
});

describe('cosign 2’s tag', () => {
  const legacy = { legacy: true };
  const tagOf = ({ image }: Stage): string => `${image.root.digest.replace(':', '-')}.sig`;
  const verifying = (here: Stage): Promise<BundleVerifier> =>
    verifierFor(here.kit, { require: ['signature'], ...legacy });

  /** Puts layers, which need not be there, under the tag of the root beside what it holds. */
  async function putLayers(here: Stage, layers: readonly object[]): Promise<void> {
    const { bytes } = await here.registry.manifest({ ...here.repo, tag: tagOf(here) });
    const manifest = JSON.parse(bytes.toString()) as { layers: object[] };
    manifest.layers.unshift(...layers);
    const changed = Buffer.from(JSON.stringify(manifest));
    stored(here).manifests.set(digestOf(changed), { bytes: changed, mediaType: mediaTypes.manifest });
    stored(here).tags.set(tagOf(here), digestOf(changed));
  }
  const layer = { mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json', digest: digestOf('nowhere') };

  test.each<[string, (here: Stage) => Promise<unknown>, string]>([
    ['holds an index', async (here) => stored(here).tags.set(tagOf(here), here.image.root.digest), 'malformed-bundle'],
    ['names a layer that is not there', (here) => putLayers(here, [{ ...layer, size: 200 }]), 'gone'],
    ['names a layer of 3 GB', (here) => putLayers(here, [{ ...layer, size: 3_000_000_000 }]), 'too-large'],
  ])('that %s spoils nothing, and signing again repairs it', async (_name, attack, code) => {
    const here = await stage(kit());
    await signTree(here.signing, here.ref, legacy);
    await attack(here);
    const found = await verifyTree(here.registry, here.ref, await verifying(here));
    expect([found.ok, found.nodes.flatMap(({ refused }) => refused.map((one) => one.code))]).toEqual([true, [code]]);
    await signTree(here.signing, here.ref, legacy);
    // Only the tag: the bundles are taken away.
    for (const [digest, { bytes }] of stored(here).manifests)
      if (bytes.includes('"subject"')) stored(here).manifests.delete(digest);
    const again = await verifyTree(here.registry, here.ref, await verifying(here));
    expect(again.ok).toBe(true);
  });

  test('with thousands of layers is read in part, and said so', async () => {
    const here = await stage(kit());
    await signTree(here.signing, here.ref, legacy);
    await putLayers(
      here,
      Array.from({ length: 3_000 }, (_, at) => ({ ...layer, size: at })),
    );
    const found = await verifyTree(here.registry, here.ref, await verifying(here));
    expect(found.ok).toBe(true);
    expect(found.nodes[0]?.refused.at(-1)).toMatchObject({ code: 'too-many' });
    expect(found.nodes[0]?.refused.length).toBeLessThan(300);
  });
});

test('what is attached by another tool is named, and is no refusal', async () => {
  const here = await stage(kit());
  await here.sign();
  const note = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: 'application/vnd.example.scan',
    config: emptyDescriptor,
    layers: [],
    subject: { mediaType: here.image.root.mediaType, digest: here.image.root.digest, size: here.image.root.size },
  };
  const { descriptor } = await here.registry.attach(here.repo, Buffer.from(JSON.stringify(note)));
  expect(await report(here)).toMatchObject({ ok: true, refused: [], unrelated: [descriptor.digest] });
});
