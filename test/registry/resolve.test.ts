import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { parseImageRef } from '../../src/core/index.ts';
import { createRegistry } from '../../src/registry/index.ts';
import { fakeHost } from '../support/fake-host.ts';
import { answer, on } from '../support/registries/faults.ts';
import { closers, heads, stage } from './stage.ts';

describe('resolving', () => {
  test('one HEAD is enough where the registry gives its headers', async () => {
    const { server, registry, image, repo } = await stage();
    expect(await registry.resolve({ ...repo, tag: 'v1' })).toEqual(image.root);
    expect(server.log).toEqual(['HEAD /v2/team/app/manifests/v1']);
    expect(server.requests[0]?.headers.accept).toContain('application/vnd.oci.image.index.v1+json');
  });

  test.each(['docker-content-digest', 'content-length', 'content-type'])(
    'without %s the manifest is read and hashed',
    async (header) => {
      const { server, registry, image, repo } = await stage({ omit: [header] });
      expect(await registry.resolve({ ...repo, tag: 'v1' })).toEqual(image.root);
      expect(server.log.map((line) => line.split(' ')[0])).toEqual(['HEAD', 'GET']);
    },
  );

  test('a registry that does not know HEAD is asked with GET', async () => {
    const { registry, image, repo, misbehave } = await stage();
    misbehave(answer(heads, 405));
    expect(await registry.resolve({ ...repo, tag: 'v1' })).toEqual(image.root);
  });

  test('two hundred references to twenty tags are twenty requests, never more than the limit at once', async () => {
    const { server, registry, image, repo, misbehave } = await stage({}, { concurrency: 5 });
    for (let at = 0; at < 20; at += 1) server.store.repository('team/app').tags.set(`t${at}`, image.root.digest);
    let [now, most] = [0, 0];
    misbehave(async (_request, response) => {
      now += 1;
      most = Math.max(most, now);
      response.on('finish', () => (now -= 1));
      await new Promise((resolve) => setTimeout(resolve, 5));
      return false;
    });
    const refs = Array.from({ length: 200 }, (_, at) => ({ ...repo, tag: `t${at % 20}` }));
    const answers = await registry.resolveAll(refs);
    expect([...answers.values()].every((found) => found.$case === 'there')).toBe(true);
    expect(server.log).toHaveLength(20);
    expect(most).toBe(5);
  });

  test('there, gone and could not tell are three answers', async () => {
    const { registry, repo, misbehave } = await stage();
    misbehave(answer(on('HEAD', /forbidden/), 403));
    const refs = ['v1', 'gone', 'forbidden'].map((tag) => ({ ...repo, tag }));
    const answers = [...(await registry.resolveAll(refs)).values()];
    expect(answers.map(({ $case }) => $case)).toEqual(['there', 'gone', 'unknown']);
    expect(answers[2]).toMatchObject({ error: { code: 'registry/denied' } });
  });

  test('when one request is asked to wait, those that follow keep quiet, too', async () => {
    const { fake, registry, repo, misbehave } = await stage();
    misbehave(answer(heads, 429, { 'retry-after': '30' }, '', 1));
    const asked: number[] = [];
    const sleep = fake.clock.sleep.bind(fake.clock);
    fake.clock.sleep = async (milliseconds) => {
      asked.push(milliseconds);
      if (asked.length === 1) await registry.resolve({ ...repo, tag: 'v1' });
      await sleep(milliseconds);
    };
    await registry.resolve({ ...repo, digest: (await registry.manifest({ ...repo, tag: 'v1' })).descriptor.digest });
    // The second question, put while the first one waits, waits as well.
    expect(asked).toEqual([30_000, 30_000]);
  });

  test('a reference without tag and digest is wrong use: latest is never assumed', async () => {
    const { registry, server } = await stage();
    const ref = parseImageRef(`${server.host}/team/app`);
    await expect(registry.resolve(ref)).rejects.toMatchObject({ code: 'registry/reference', exit: 2 });
  });

  test('a mirror changes where it is read from, not which digest is expected', async () => {
    const { server, fake, image } = await stage();
    const mirrors = { images: { 'quay.io': `${server.host}/elsewhere`, 'quay.io/org': `${server.host}/team` } };
    const registry = createRegistry(fake, { mirrors });
    expect(await registry.resolve(parseImageRef('quay.io/org/app:v1'))).toEqual(image.root);
    const wrong = parseImageRef(`quay.io/org/app:v1@${image.children[0]?.digest ?? ''}`);
    server.store.repository('team/app').manifests.delete(wrong.digest ?? '');
    await expect(registry.resolve(wrong)).rejects.toMatchObject({ code: 'registry/not-found' });
    await expect(registry.resolve(parseImageRef('quay.io/organisation/app:v1'))).rejects.toMatchObject({
      code: 'registry/not-found',
    });
    expect(server.log.at(-1)).toBe('HEAD /v2/elsewhere/organisation/app/manifests/v1');
  });
});

describe('listing tags', () => {
  test('a list of 100,001 tags ends in one error after the limit', async () => {
    const pages = 200;
    let served = 0;
    const http = createServer((request, response) => {
      const page = Number(new URL(request.url ?? '', 'http://x').searchParams.get('last') ?? '0');
      served += 1;
      const tags = Array.from({ length: 1000 }, (_, at) => `t${page * 1000 + at}`);
      response.writeHead(200, page < pages ? { link: `</v2/a/b/tags/list?n=1000&last=${page + 1}>; rel="next"` } : {});
      response.end(JSON.stringify({ name: 'a/b', tags }));
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    closers.push(() => {
      http.close();
      http.closeAllConnections();
    });
    const repo = { registry: `127.0.0.1:${(http.address() as AddressInfo).port}`, repository: 'a/b' };
    await expect(createRegistry(fakeHost()).tags(repo)).rejects.toMatchObject({
      code: 'registry/too-many-tags',
      exit: 3,
    });
    expect(served).toBe(101);
  });

  test('pages that go in circles, or to another host, end in an error', async () => {
    const { registry, repo, misbehave } = await stage();
    const list = on('GET', /tags\/list/);
    misbehave(answer(list, 200, { link: '</v2/team/app/tags/list?n=1000>; rel="next"' }, '{"tags":["a"]}'));
    await expect(registry.tags(repo)).rejects.toMatchObject({
      message: expect.stringContaining('in circles') as string,
    });
    misbehave(answer(list, 200, { link: '<https://example.com/v2/x>; rel="next"' }, '{"tags":["a"]}'));
    await expect(registry.tags(repo)).rejects.toMatchObject({ code: 'registry/unexpected-answer' });
  });
});
