import { describe, expect, test } from 'vitest';
import { digestOf, mediaTypes, type Descriptor } from '../../src/core/index.ts';
import { answer, on } from '../support/registries/faults.ts';
import { emptyDescriptor, emptySource, makeReferrer } from '../support/registries/image.ts';
import { stage } from './stage.ts';

const kind = 'application/vnd.example.signature';

/** Puts a fallback index as another tool would write it. */
function fallbackOf(entries: readonly Descriptor[]): Buffer {
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: entries }));
}

describe('lists are not trusted', () => {
  test('the type and annotations are those of the manifest, as cosign writes other ones into the fallback index', async () => {
    const { registry, image, repo } = await stage({ referrers: 'none' });
    await registry.upload(repo, emptySource, emptyDescriptor);
    const bytes = makeReferrer(image.root, kind, 'mine');
    await registry.put(repo, bytes, mediaTypes.manifest);
    const lie = {
      mediaType: mediaTypes.manifest,
      digest: digestOf(bytes),
      size: bytes.length,
      artifactType: mediaTypes.config,
    };
    await registry.put(repo, fallbackOf([lie]), mediaTypes.index, image.root.digest.replace(':', '-'));
    const found = await registry.referrers(repo, image.root.digest, kind);
    expect(found.via).toBe('fallback');
    expect(found.referrers).toMatchObject([
      { descriptor: { artifactType: kind, annotations: { 'org.example.note': 'mine' } } },
    ]);
  });

  test('a referrer whose subject is another image, or none, is rejected by name', async () => {
    const { registry, image, repo } = await stage({ referrers: 'none' });
    await registry.upload(repo, emptySource, emptyDescriptor);
    const other = makeReferrer(image.children[0] as Descriptor, kind);
    const none = Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.manifest, config: emptyDescriptor, layers: [] }),
    );
    const entries = [other, none].map((bytes) => ({
      mediaType: mediaTypes.manifest,
      digest: digestOf(bytes),
      size: bytes.length,
      artifactType: kind,
    }));
    for (const bytes of [other, none]) await registry.put(repo, bytes, mediaTypes.manifest);
    await registry.put(repo, fallbackOf(entries), mediaTypes.index, image.root.digest.replace(':', '-'));
    const found = await registry.referrers(repo, image.root.digest);
    expect(found.referrers).toEqual([]);
    expect(found.rejected.map(({ reason }) => reason)).toEqual(['other-subject', 'no-subject']);
    const copied = await registry.copy(repo, { ...repo, repository: 'released/app' }, image.root.digest);
    expect(copied.referrers.copied).toBe(0);
    expect(copied.rejected).toHaveLength(2);
  });

  test('a referrer that is listed but gone, or has other bytes, is rejected; one that cannot be asked for is an error', async () => {
    const { server, registry, image, repo, misbehave } = await stage();
    await registry.upload(repo, emptySource, emptyDescriptor);
    const { descriptor } = await registry.attach(repo, makeReferrer(image.root, kind));
    const read = on('GET', new RegExp(`manifests/${descriptor.digest}`));
    misbehave(answer(read, 404));
    expect((await registry.referrers(repo, image.root.digest)).rejected).toMatchObject([{ reason: 'gone' }]);
    misbehave(
      answer(read, 200, { 'content-type': mediaTypes.manifest }, makeReferrer(image.root, 'swapped').toString()),
    );
    expect((await registry.referrers(repo, image.root.digest)).rejected).toMatchObject([{ reason: 'wrong-bytes' }]);
    misbehave(answer(read, 500));
    await expect(registry.referrers(repo, image.root.digest)).rejects.toMatchObject({ code: 'registry/upstream' });
    expect(server.log.length).toBeGreaterThan(0);
  });
});

describe('the fallback tag', () => {
  test('keeps what was in it, and a second attach of the same adds nothing', async () => {
    const { server, registry, image, repo } = await stage({ referrers: 'none' });
    await registry.upload(repo, emptySource, emptyDescriptor);
    const [one, two] = [makeReferrer(image.root, kind, 'one'), makeReferrer(image.root, kind, 'two')];
    await registry.attach(repo, one);
    await registry.attach(repo, two);
    const tag = image.root.digest.replace(':', '-');
    const before = server.store.repository('team/app').tags.get(tag);
    await registry.attach(repo, one);
    expect(server.store.repository('team/app').tags.get(tag)).toBe(before);
    const { node } = await registry.manifest({ ...repo, tag });
    expect(node.children.map(({ digest }) => digest)).toEqual([digestOf(one), digestOf(two)]);
    expect(node.children[0]).toMatchObject({ artifactType: kind, annotations: { 'org.example.note': 'one' } });
  });

  test('writers of one process wait for each other: eight at once are eight writes, and all eight are kept', async () => {
    const { server, fake, registry, image, repo } = await stage({ referrers: 'none' });
    await registry.upload(repo, emptySource, emptyDescriptor);
    const all = Array.from({ length: 8 }, (_, at) => makeReferrer(image.root, kind, String(at)));
    await Promise.all(all.map((bytes) => registry.attach(repo, bytes)));
    expect((await registry.referrers(repo, image.root.digest)).referrers).toHaveLength(8);
    const tag = image.root.digest.replace(':', '-');
    expect(server.log.filter((line) => line === `PUT /v2/team/app/manifests/${tag}`)).toHaveLength(8);
    expect(fake.slept).toEqual([]);
  });

  test('when another writer overwrites it / both entries are there in the end', async () => {
    const { server, registry, image, repo, misbehave } = await stage({ referrers: 'none' });
    await registry.upload(repo, emptySource, emptyDescriptor);
    const tag = image.root.digest.replace(':', '-');
    const theirs = makeReferrer(image.root, kind, 'theirs');
    const mine = makeReferrer(image.root, kind, 'mine');
    await registry.put(repo, theirs, mediaTypes.manifest);
    const index = fallbackOf([{ mediaType: mediaTypes.manifest, digest: digestOf(theirs), size: theirs.length }]);
    let reads = 0;
    misbehave((request, _response, path) => {
      if (request.method === 'GET' && path.endsWith(tag)) {
        reads += 1;
        // After our first write, and before we look again, they write from their older reading.
        if (reads === 2) server.store.putManifest('team/app', tag, { bytes: index, mediaType: mediaTypes.index });
      }
      return false;
    });
    await registry.attach(repo, mine);
    const digests = (await registry.referrers(repo, image.root.digest)).referrers.map(
      ({ descriptor }) => descriptor.digest,
    );
    expect(new Set(digests)).toEqual(new Set([digestOf(theirs), digestOf(mine)]));
  });

  test('when it is overwritten for ever / the error names the digest', async () => {
    const { server, registry, image, repo, misbehave } = await stage({ referrers: 'none' });
    await registry.upload(repo, emptySource, emptyDescriptor);
    const tag = image.root.digest.replace(':', '-');
    const mine = makeReferrer(image.root, kind, 'mine');
    misbehave((request, _response, path) => {
      if (request.method === 'GET' && path.endsWith(tag))
        server.store.putManifest('team/app', tag, { bytes: fallbackOf([]), mediaType: mediaTypes.index });
      return false;
    });
    await expect(registry.attach(repo, mine)).rejects.toMatchObject({ code: 'registry/referrers' });
  });
});

describe("Quay's ways", () => {
  test('a list that is a minute old is waited for, by the clock', async () => {
    let now = 0;
    const { fake, registry, image, repo } = await stage({ referrers: 'quay', now: () => now });
    fake.clock.sleep = async (milliseconds) => void (now += milliseconds);
    fake.clock.now = () => new Date(now);
    await registry.upload(repo, emptySource, emptyDescriptor);
    // This question is what Quay will remember for a minute.
    expect((await registry.referrers(repo, image.root.digest)).referrers).toEqual([]);
    const { descriptor, filed } = await registry.attach(repo, makeReferrer(image.root, kind));
    expect(filed).toBe('api');
    expect((await registry.referrers(repo, image.root.digest)).referrers).toEqual([]);
    await registry.awaitReferrers(repo, image.root.digest, [descriptor.digest]);
    expect(now).toBeGreaterThanOrEqual(60_000);
    expect(now).toBeLessThan(80_000);
    expect((await registry.referrers(repo, image.root.digest)).referrers).toHaveLength(1);
  });

  test('what never appears is an error that names it', async () => {
    const { registry, image, repo } = await stage({ referrers: 'quay' });
    const missing = digestOf('nothing');
    const waiting = registry.awaitReferrers(repo, image.root.digest, [missing], 30_000);
    await expect(waiting).rejects.toMatchObject({ code: 'registry/referrers', facts: { expected: missing } });
  });

  test('an unknown subject (400) has no referrers', async () => {
    const { registry, repo } = await stage({ referrers: 'quay' });
    expect(await registry.referrers(repo, digestOf('unknown'))).toEqual({ via: 'api', referrers: [], rejected: [] });
  });
});
