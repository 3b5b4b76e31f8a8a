import { describe, expect, test } from 'vitest';
import { Limiter } from '../../src/core/limit.ts';
import { follow, type Request } from '../../src/registry/follow.ts';
import { codeOf, scripted, type Reply } from './scripted.ts';

const elsewhere = (status: number, location?: string): Reply => ({
  status,
  headers: location === undefined ? {} : { location },
});

/** Follows a request whose first answer is this one; every other one is good. */
function following(first: Reply, changes: Partial<Request> = {}, plainHttp: readonly string[] = []) {
  const { host, asked } = scripted(() => (asked.length === 1 ? first : {}));
  const request: Request = {
    method: 'GET',
    url: 'https://quay.example/v2/a',
    headers: {},
    trusted: 'https://quay.example',
    ...changes,
  };
  const gate = new Limiter(1, host.clock);
  return { asked, answer: follow(host, () => gate, plainHttp, request) };
}

describe('a redirect', () => {
  test.each([
    ['to another host', 'https://cdn.example/b'],
    ['to another path', '/v2/b'],
  ])('%s is followed', async (_name, location) => {
    const { asked, answer } = following(elsewhere(307, location));
    expect((await answer).url).toBe(asked[1]?.url.href);
    expect(asked).toHaveLength(2);
  });

  test.each<[string, Reply, string]>([
    ['from https to http', elsewhere(307, 'http://cdn.example/b'), 'https://quay.example/v2/a'],
    ['from https to http on loopback', elsewhere(307, 'http://127.0.0.1/b'), 'https://quay.example/v2/a'],
    ['from https to a host without TLS', elsewhere(307, 'http://plain.example/b'), 'https://quay.example/v2/a'],
    ['from http to http elsewhere', elsewhere(307, 'http://cdn.example/b'), 'http://127.0.0.1/v2/a'],
    ['to a file', elsewhere(307, 'file:///etc/passwd'), 'https://quay.example/v2/a'],
    ['without an address', elsewhere(307), 'https://quay.example/v2/a'],
    ['to what is no address', elsewhere(307, 'https://[/'), 'https://quay.example/v2/a'],
  ])('%s is refused', async (_name, first, url) => {
    const { asked, answer } = following(first, { url }, ['plain.example']);
    expect(await codeOf(answer)).toBe('registry/redirect');
    expect(asked).toHaveLength(1);
  });

  test('between hosts without TLS is followed', async () => {
    const first = elsewhere(307, 'http://plain.example/b');
    expect((await following(first, { url: 'http://127.0.0.1/a' }, ['plain.example']).answer).url).toBe(
      'http://plain.example/b',
    );
  });

  test.each([
    ['https://quay.example/b', 'Basic x'],
    ['https://cdn.example/b', undefined],
    ['https://quay.example:8443/b', undefined],
    ['https://quay.example.evil.example/b', undefined],
  ])('to %s takes along the credential %s', async (location, expected) => {
    const { asked, answer } = following(elsewhere(307, location), { authorization: 'Basic x' });
    await answer;
    expect(asked.map(({ headers }) => headers['authorization'])).toEqual(['Basic x', expected]);
  });

  test('of a body that is a credential is refused, even to the same host', async () => {
    const changes = { method: 'POST', body: async () => Buffer.from('x'), secretBody: true } as const;
    const { asked, answer } = following(elsewhere(307, '/elsewhere'), changes);
    expect(await codeOf(answer)).toBe('registry/redirect');
    expect(asked).toHaveLength(1);
  });

  test.each(['POST', 'PUT', 'PATCH', 'DELETE'] as const)(
    'that would turn a %s into a GET is an answer',
    async (method) => {
      expect((await following(elsewhere(302, '/b'), { method }).answer).response.status).toBe(302);
    },
  );
});

test.each([
  [5, 'fine'],
  [6, 'registry/redirect'],
])('%s redirects in a row: %s', async (hops, outcome) => {
  const { host, asked } = scripted(() => (asked.length <= hops ? elsewhere(302, `/${asked.length}`) : {}));
  const gate = new Limiter(1, host.clock);
  const request = { method: 'GET', url: 'https://quay.example/', headers: {}, trusted: '' } as const;
  expect(await codeOf(follow(host, () => gate, [], request))).toBe(outcome);
});
