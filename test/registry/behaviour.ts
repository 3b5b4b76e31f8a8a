import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf, mediaTypes, type Descriptor } from '../../src/core/index.ts';
import { createRegistry, type Registry, type Repository } from '../../src/registry/index.ts';
import type { FakeHost } from '../support/fake-host.ts';
import { emptyBlob, emptyDescriptor, emptySource, makeImage, makeReferrer } from '../support/registries/image.ts';

/** A registry to run the suite on. */
export interface Leg {
  readonly name: string;
  readonly referrers: 'header' | 'api' | 'fallback';
  readonly deletes: boolean;
  start(): Promise<{ readonly host: string; readonly fake: FakeHost; close(): Promise<void> }>;
}

/** The same behaviour is asked of every kind of registry. */
export function describeRegistry(leg: Leg): void {
  describe(leg.name, () => {
    let running: Awaited<ReturnType<Leg['start']>>;
    let registry: Registry;
    const repo = (repository: string): Repository => ({ registry: running.host, repository });
    const tagged = (repository: string, tag: string) => ({ ...repo(repository), tag });

    beforeAll(async () => {
      running = await leg.start();
      registry = createRegistry(running.fake);
    });
    afterAll(() => running.close());

    test('a fresh push brings every part, and a second one nothing', async () => {
      const image = makeImage('push', 2_500_000);
      const first = await registry.push(repo('team/push'), image.root, image.source);
      expect(first.manifests).toEqual({ pushed: 3, present: 0 });
      // 2 configs, 2 own layers, 1 shared layer.
      expect(first.blobs).toEqual({ uploaded: 5, mounted: 0, present: 0 });
      const opened = image.opened.length;
      const second = await registry.push(repo('team/push'), image.root, image.source);
      expect(second).toMatchObject({
        manifests: { pushed: 0, present: 3 },
        blobs: { uploaded: 0, present: 0 },
        bytes: 0,
      });
      expect(image.opened.length).toBe(opened);
      for (const blob of image.blobs) expect(await registry.blobExists(repo('team/push'), blob)).toBe(true);
    });

    test('a pushed image is read back bit for bit, by digest and by tag', async () => {
      const image = makeImage('read');
      await registry.push(repo('team/read'), image.root, image.source);
      await registry.moveTag(tagged('team/read', 'v1'), image.root.digest);
      const byTag = await registry.manifest(tagged('team/read', 'v1'));
      expect(byTag.descriptor).toEqual(image.root);
      expect(byTag.node.children).toEqual(image.children);
      expect(await registry.resolve(tagged('team/read', 'v1'))).toEqual(image.root);
      const blob = image.blobs[2] as Descriptor;
      const bytes = await registry.blob(repo('team/read'), blob).toArray();
      expect(digestOf(Buffer.concat(bytes as Buffer[]))).toBe(blob.digest);
    });

    test('a layer in chunks arrives whole', async () => {
      const image = makeImage('chunks', 2_500_000);
      const report = await registry.push(repo('team/chunks'), image.root, image.source, { chunk: 1_000_000 });
      expect(report.blobs.uploaded).toBe(5);
      const blob = image.blobs[2] as Descriptor;
      expect(image.opened.filter(({ digest }) => digest === blob.digest).map(({ start }) => start)).toContain(
        1_000_000,
      );
      expect(digestOf(Buffer.concat((await registry.blob(repo('team/chunks'), blob).toArray()) as Buffer[]))).toBe(
        blob.digest,
      );
    });

    test('blobs of another repository are mounted, not sent', async () => {
      const image = makeImage('mount');
      await registry.push(repo('team/mount'), image.root, image.source);
      const sent = image.opened.length;
      const report = await registry.push(repo('other/mount'), image.root, image.source, { mountFrom: ['team/mount'] });
      expect(report.blobs).toEqual({ uploaded: 0, mounted: 5, present: 0 });
      expect(image.opened.length).toBe(sent);
    });

    test('a mount from where the blob is not ends in an upload', async () => {
      const image = makeImage('mount-miss');
      const report = await registry.push(repo('other/miss'), image.root, image.source, { mountFrom: ['team/nothing'] });
      expect(report.blobs).toEqual({ uploaded: 5, mounted: 0, present: 0 });
    });

    test('resolve answers there and gone, and asks once for what is named twice', async () => {
      const image = makeImage('resolve');
      await registry.push(repo('team/resolve'), image.root, image.source);
      await registry.moveTag(tagged('team/resolve', 'v1'), image.root.digest);
      const refs = [tagged('team/resolve', 'v1'), tagged('team/resolve', 'v1'), tagged('team/resolve', 'v2')];
      const answers = await registry.resolveAll(refs);
      expect([...answers.keys()]).toEqual([`${running.host}/team/resolve:v1`, `${running.host}/team/resolve:v2`]);
      expect([...answers.values()]).toMatchObject([{ $case: 'there', descriptor: image.root }, { $case: 'gone' }]);
    });

    test('tags are listed', async () => {
      const image = makeImage('tags');
      await registry.push(repo('team/tags'), image.root, image.source);
      for (const tag of ['a', 'b', 'c']) await registry.moveTag(tagged('team/tags', tag), image.root.digest);
      expect([...(await registry.tags(repo('team/tags')))].sort()).toEqual(['a', 'b', 'c']);
      await expect(registry.tags(repo('team/tags'), 2)).rejects.toMatchObject({ code: 'registry/too-many-tags' });
    });

    test('moving a tag reports both digests and refuses an unexpected one', async () => {
      const [one, two] = [makeImage('one'), makeImage('two')];
      await registry.push(repo('team/move'), one.root, one.source);
      await registry.push(repo('team/move'), two.root, two.source);
      const ref = tagged('team/move', 'latest');
      const [d1, d2] = [one.root.digest, two.root.digest];
      expect(await registry.tagDigest(ref)).toBeUndefined();
      expect(await registry.moveTag(ref, d1, { expectOld: null })).toEqual({ tag: 'latest', after: d1, moved: true });
      expect(await registry.moveTag(ref, d2, { expectOld: d1 })).toEqual({
        tag: 'latest',
        before: d1,
        after: d2,
        moved: true,
      });
      expect(await registry.moveTag(ref, d2)).toEqual({ tag: 'latest', before: d2, after: d2, moved: false });
      const refused = registry.moveTag(ref, d1, { expectOld: d1 });
      await expect(refused).rejects.toMatchObject({ code: 'registry/tag-moved', facts: { expected: d1, found: d2 } });
      await expect(registry.moveTag(ref, d1, { expectOld: null })).rejects.toMatchObject({
        code: 'registry/tag-moved',
      });
      expect(await registry.tagDigest(ref)).toBe(d2);
    });

    test('a tag never moves to what the repository does not hold', async () => {
      const image = makeImage('absent');
      await expect(registry.moveTag(tagged('team/move', 'x'), image.root.digest)).rejects.toMatchObject({
        code: 'registry/not-found',
      });
      expect(await registry.tagDigest(tagged('team/move', 'x'))).toBeUndefined();
    });

    test('what is attached is found from its subject, opened and filtered', async () => {
      const image = makeImage('attach');
      const to = repo('team/attach');
      await registry.push(to, image.root, image.source);
      expect(await registry.referrers(to, image.root.digest)).toMatchObject({ referrers: [], rejected: [] });
      await registry.upload(to, emptySource, emptyDescriptor);
      const kinds = ['application/vnd.example.sbom', 'application/vnd.example.signature'];
      const manifests = kinds.map((kind) => makeReferrer(image.root, kind));
      // At the same time: the fallback tag has to keep both.
      const attached = await Promise.all(manifests.map((bytes) => registry.attach(to, bytes)));
      expect(attached.map(({ filed }) => filed)).toEqual([leg.referrers, leg.referrers]);
      const digests = attached.map(({ descriptor }) => descriptor.digest);
      await registry.awaitReferrers(to, image.root.digest, digests);
      const all = await registry.referrers(to, image.root.digest);
      expect(new Set(all.referrers.map(({ descriptor }) => descriptor.digest))).toEqual(new Set(digests));
      const only = await registry.referrers(to, image.root.digest, kinds[1]);
      expect(only.referrers.map(({ descriptor }) => descriptor.artifactType)).toEqual([kinds[1]]);
      expect(only.referrers[0]?.fetched.bytes.equals(manifests[1] as Buffer)).toBe(true);
      expect(await registry.referrers(to, (image.children[0] as Descriptor).digest)).toMatchObject({ referrers: [] });
    });

    test('a tree is copied with its referrers and their referrers; a second copy finds all there', async () => {
      const image = makeImage('copy');
      const [from, to] = [repo('team/copy'), repo('released/copy')];
      await registry.push(from, image.root, image.source);
      await registry.upload(from, emptySource, emptyDescriptor);
      const child = image.children[1] as Descriptor;
      const sbom = await registry.attach(from, makeReferrer(child, 'application/vnd.example.sbom'));
      const signature = makeReferrer(sbom.descriptor, 'application/vnd.example.signature');
      const signed = await registry.attach(from, signature);
      await registry.awaitReferrers(from, child.digest, [sbom.descriptor.digest]);
      await registry.awaitReferrers(from, sbom.descriptor.digest, [signed.descriptor.digest]);
      const first = await registry.copy(from, to, image.root.digest);
      expect(first).toMatchObject({ digest: image.root.digest, referrers: { copied: 2, present: 0 }, rejected: [] });
      expect(first.blobs).toMatchObject({ uploaded: 0, mounted: 6 });
      expect((await registry.referrers(to, sbom.descriptor.digest)).referrers).toHaveLength(1);
      const second = await registry.copy(from, to, image.root.digest);
      expect(second).toMatchObject({
        referrers: { copied: 0, present: 2 },
        blobs: { uploaded: 0, mounted: 0 },
        bytes: 0,
      });
      expect(second.manifests.pushed).toBe(0);
    });

    test('what cosign 2 leaves under tags is copied, too', async () => {
      const image = makeImage('legacy');
      const [from, to] = [repo('team/legacy'), repo('released/legacy')];
      await registry.push(from, image.root, image.source);
      await registry.upload(from, emptySource, emptyDescriptor);
      const manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config: emptyDescriptor, layers: [] };
      const tag = `${image.root.digest.replace(':', '-')}.sig`;
      await registry.put(from, Buffer.from(JSON.stringify(manifest)), mediaTypes.manifest, tag);
      expect((await registry.copy(from, to, image.root.digest)).legacyTags).toEqual([tag]);
      expect((await registry.resolve({ ...to, tag })).digest).toBe(digestOf(JSON.stringify(manifest)));
    });

    test('a manifest is deleted once', async () => {
      const image = makeImage('delete');
      await registry.push(repo('team/delete'), image.root, image.source);
      expect(await registry.delete(repo('team/delete'), image.root.digest)).toBe(leg.deletes);
      expect(await registry.delete(repo('team/delete'), image.root.digest)).toBe(false);
      const gone = registry.manifest({ ...repo('team/delete'), digest: image.root.digest });
      await expect(gone).rejects.toMatchObject({ code: 'registry/not-found', exit: 3 });
    });

    test('an empty blob goes there and back', async () => {
      const empty = { mediaType: 'application/octet-stream', digest: digestOf(''), size: 0 };
      const nothing = { ...emptySource, open: () => emptySource.open(empty, emptyBlob.length) };
      await registry.upload(repo('team/empty'), nothing, empty);
      expect(await text(registry.blob(repo('team/empty'), empty))).toBe('');
    });
  });
}
