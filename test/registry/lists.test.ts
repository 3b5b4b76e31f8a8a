import { describe, expect, test } from 'vitest';
import { bounds } from '../../src/core/deadlines.ts';
import { digestOf, mediaTypes } from '../../src/core/index.ts';
import { Pages } from '../../src/registry/pages.ts';
import { listReferrers } from '../../src/registry/list-referrers.ts';
import { Transport } from '../../src/registry/transport.ts';
import { codes } from '../support/codes.ts';
import { at, codeOf, repo, scripted, type Reply } from './scripted.ts';

describe('a list of tags', () => {
  const tags = (body: unknown, headers: Reply['headers'] = {}, limit = 2) =>
    scripted(({ url }) =>
      url.searchParams.has('last') ? { body: '{"tags":["z"]}' } : { body: JSON.stringify(body), headers },
    ).registry.tags(repo, limit);

  test.each([
    ['as many as the limit', ['a', 'b'], 'fine'],
    ['one more', ['a', 'b', 'c'], 'registry/too-many-tags'],
    ['what is no name', ['a', 1], 'registry/unexpected-answer'],
    ['no list', 'a', 'registry/unexpected-answer'],
    ['nothing', null, 'fine'],
  ])('with %s: %s', async (_name, list, outcome) => {
    expect(await codeOf(tags({ tags: list }))).toBe(outcome);
  });

  const next = (url: string) => ({ link: `<${url}>; rel="next"` });
  test.each([
    ['by path', next(`${at('tags/list')}?last=a`)],
    ['by address', next(`https://quay.example${at('tags/list')}?last=a`)],
    ['by an address without TLS, which a proxy before it ends', next(`http://quay.example${at('tags/list')}?last=a`)],
  ])('goes on where it links to, %s', async (_name, headers) => {
    expect(await tags({ tags: ['a'] }, headers)).toEqual(['a', 'z']);
  });

  test('is asked for by https alone', async () => {
    const { registry, asked } = scripted(({ url }) =>
      url.searchParams.has('last') ? {} : { body: '{"tags":["a"]}', headers: next(`http://quay.example/v2/?last=a`) },
    );
    await registry.tags(repo).catch(() => undefined);
    expect(asked.map(({ url }) => url.protocol)).toEqual(['https:', 'https:']);
  });

  test.each(['https://other.example/?last=a', 'https://quay.example:8443/?last=a', 'https://[/'])(
    'does not go on to %s',
    async (url) => {
      expect(await codeOf(tags({ tags: ['a'] }, next(url)))).toBe('registry/unexpected-answer');
    },
  );
});

describe('a list of referrers', () => {
  const list = (entries: number) => {
    const manifests = Array.from({ length: entries }, (_, one) => ({
      mediaType: mediaTypes.manifest,
      digest: digestOf(String(one)),
      size: 1,
    }));
    const { host } = scripted(() => ({ body: JSON.stringify({ manifests }) }));
    return listReferrers(new Transport(host, { retry: { attempts: 1 } }), repo, digestOf('x'));
  };

  test.each([
    [100_000, 0],
    [100_001, 1],
  ])('of %s is read, and says how many are left out: %s', async (entries, unread) => {
    const listing = await list(entries);
    expect([listing.descriptors.length, listing.unread]).toEqual([100_000, unread]);
  });
});

describe('the pages of a list', () => {
  /** Follows so many pages, of which the last ones have no entry. */
  const follow = (count: number, empty = 0) => {
    const pages = new Pages('the list', '/0');
    for (let page = 1; page <= count; page += 1) pages.next(`/${page}`, page > count - empty ? 0 : 1);
  };

  test.each([
    ['a thousand', bounds.pages - 1, 0, []],
    ['one more', bounds.pages, 0, ['registry/pages']],
    ['ten without an entry', 20, bounds.emptyPages, []],
    ['eleven without an entry', 20, bounds.emptyPages + 1, ['registry/pages']],
  ])('%s', (_name, count, empty, refused) => {
    expect(
      codes(() => {
        follow(count, empty);
      }),
    ).toEqual(refused);
  });

  test('do not begin anew', () => {
    expect(codes(() => new Pages('the list', '/0').next('/0', 1))).toEqual(['registry/pages']);
  });

  test('end', () => {
    expect(new Pages('the list', '/0').next(undefined, 0)).toBeUndefined();
  });
});
