import { describe, expect, test } from 'vitest';
import { mediaTypes, type Descriptor } from '../../src/core/index.ts';
import { answer, on } from '../support/registries/faults.ts';
import { makeImage } from '../support/registries/image.ts';
import { stage } from './stage.ts';

describe('what a push asks and sends', () => {
  test('when nothing changed: one HEAD for the index, one for each child, and nothing else', async () => {
    const { server, registry, image, repo } = await stage();
    await registry.push(repo, image.root, image.source);
    const [first, ...rest] = server.log;
    expect(first).toBe(`HEAD /v2/team/app/manifests/${image.root.digest}`);
    expect(rest.sort()).toEqual(image.children.map(({ digest }) => `HEAD /v2/team/app/manifests/${digest}`).sort());
  });

  test('when one platform changed: the other one and shared layers are left alone', async () => {
    const { server, registry, image, repo } = await stage();
    const next = makeImage('fault', 2_500_000);
    const child = image.children[0] as Descriptor;
    server.store.repository('team/app').manifests.delete(child.digest);
    server.store.repository('team/app').manifests.delete(image.root.digest);
    server.store.repository('team/app').blobs.delete((image.blobs[2] as Descriptor).digest);
    const report = await registry.push(repo, next.root, next.source);
    expect(report.blobs).toEqual({ uploaded: 1, mounted: 0, present: 2 });
    expect(report.bytes).toBe(2_500_000);
    const heads = server.log.filter((line) => line.startsWith('HEAD') && line.includes('/blobs/'));
    expect(new Set(heads).size).toBe(heads.length);
    expect(heads).toHaveLength(3);
  });

  test('a child that was deleted under an existing index is pushed again', async () => {
    const { server, registry, image, repo } = await stage();
    const child = image.children[1] as Descriptor;
    server.store.repository('team/app').manifests.delete(child.digest);
    expect((await registry.push(repo, image.root, image.source)).manifests.pushed).toBe(2);
    expect(server.store.find('team/app', child.digest)).toBeDefined();
  });

  test('manifests come after their blobs, the index last, and no tag moves', async () => {
    const { server, registry, repo } = await stage();
    const image = makeImage('order');
    await registry.push(repo, image.root, image.source);
    const puts = server.log.filter((line) => line.startsWith('PUT') && line.includes('/manifests/'));
    expect(puts.at(-1)).toContain(image.root.digest);
    expect(puts).toHaveLength(3);
    const lastBlob = server.log.findLastIndex((line) => line.includes('/uploads/'));
    expect(lastBlob).toBeLessThan(server.log.indexOf(puts[0] ?? ''));
    expect([...server.store.repository('team/app').tags.keys()]).toEqual(['v1']);
  });

  test('a push that was cut short is continued by the next, without sending a blob twice', async () => {
    const { server, registry, repo, misbehave } = await stage();
    const image = makeImage('cut short', 2_000_000);
    misbehave(answer(on('PUT', /\/manifests\//), 403));
    await expect(registry.push(repo, image.root, image.source)).rejects.toMatchObject({ code: 'registry/denied' });
    expect(server.store.find('team/app', image.root.digest)).toBeUndefined();
    misbehave(() => false);
    const sent = image.opened.length;
    const report = await registry.push(repo, image.root, image.source);
    expect(report.blobs).toEqual({ uploaded: 0, mounted: 0, present: 5 });
    expect(image.opened.length).toBe(sent);
  });

  test('a layout whose manifest was changed is refused before anything is sent', async () => {
    const { server, registry, repo } = await stage();
    const image = makeImage('changed');
    const source = {
      ...image.source,
      manifest: async (d: Descriptor) => Buffer.concat([await image.source.manifest(d), Buffer.from(' ')]),
    };
    await expect(registry.push(repo, image.root, source)).rejects.toMatchObject({ code: 'registry/source', exit: 2 });
    expect(server.log).toEqual([]);
  });

  test('an index in an index in an index is pushed children first; deeper nesting is refused', async () => {
    const { server, registry, repo } = await stage();
    const inner = makeImage('nested');
    let { root } = inner;
    const bytes = new Map<string, Buffer>();
    const source = {
      ...inner.source,
      manifest: async (d: Descriptor) => bytes.get(d.digest) ?? inner.source.manifest(d),
    };
    const { digestOf } = await import('../../src/core/index.ts');
    const wrap = (): void => {
      const text = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [root] }));
      root = { mediaType: mediaTypes.index, digest: digestOf(text), size: text.length };
      bytes.set(root.digest, text);
    };
    wrap();
    wrap();
    expect((await registry.push(repo, root, source)).manifests.pushed).toBe(5);
    expect(server.store.find('team/app', root.digest)).toBeDefined();
    for (let more = 0; more < 4; more += 1) wrap();
    server.store.repositories.clear();
    await expect(registry.push(repo, root, source)).rejects.toMatchObject({ code: 'registry/source' });
  });
});

describe('moving a tag', () => {
  test('when the tag moved between reading and writing / nothing is written and both digests are told', async () => {
    const { server, registry, image, repo, misbehave } = await stage();
    const [mine, theirs] = [makeImage('mine'), makeImage('theirs')];
    for (const { root, source } of [mine, theirs]) await registry.push(repo, root, source);
    server.log.length = 0;
    misbehave((request) => {
      // Somebody else publishes while we read the manifest.
      if (request.method === 'GET') server.store.repository('team/app').tags.set('v1', theirs.root.digest);
      return false;
    });
    const moving = registry.moveTag({ ...repo, tag: 'v1' }, mine.root.digest, { expectOld: image.root.digest });
    await expect(moving).rejects.toMatchObject({
      code: 'registry/tag-moved',
      facts: { expected: image.root.digest, found: theirs.root.digest },
    });
    expect(server.log.some((line) => line.startsWith('PUT'))).toBe(false);
    expect(server.store.repository('team/app').tags.get('v1')).toBe(theirs.root.digest);
  });

  test('when somebody wins right after writing / it is noticed', async () => {
    const { server, registry, repo, misbehave } = await stage();
    const [mine, theirs] = [makeImage('mine'), makeImage('theirs')];
    for (const { root, source } of [mine, theirs]) await registry.push(repo, root, source);
    let written = false;
    misbehave((request) => {
      if (written && request.method === 'HEAD') server.store.repository('team/app').tags.set('v1', theirs.root.digest);
      written ||= request.method === 'PUT';
      return false;
    });
    const moving = registry.moveTag({ ...repo, tag: 'v1' }, mine.root.digest);
    await expect(moving).rejects.toMatchObject({ code: 'registry/tag-moved', facts: { found: theirs.root.digest } });
  });

  test('when the registry answers from a cache for a while / it is asked again', async () => {
    const { fake, registry, image, repo, misbehave } = await stage();
    const mine = makeImage('mine');
    await registry.push(repo, mine.root, mine.source);
    let stale = 0;
    let written = false;
    misbehave((request, response) => {
      written ||= request.method === 'PUT';
      if (!written || request.method !== 'HEAD' || stale >= 2) return false;
      stale += 1;
      const { mediaType, digest, size } = image.root;
      response
        .writeHead(200, { 'content-type': mediaType, 'content-length': String(size), 'docker-content-digest': digest })
        .end();
      return true;
    });
    const move = await registry.moveTag({ ...repo, tag: 'v1' }, mine.root.digest);
    expect(move).toMatchObject({ before: image.root.digest, after: mine.root.digest, moved: true });
    expect(fake.slept).toHaveLength(2);
  });

  test('a registry that cannot be asked moves nothing', async () => {
    const { server, registry, image, repo, misbehave } = await stage();
    const mine = makeImage('mine');
    await registry.push(repo, mine.root, mine.source);
    misbehave(answer(on('HEAD', /manifests\/v1/), 403));
    await expect(registry.moveTag({ ...repo, tag: 'v1' }, mine.root.digest)).rejects.toMatchObject({
      code: 'registry/denied',
    });
    expect(server.store.repository('team/app').tags.get('v1')).toBe(image.root.digest);
  });
});
