import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { FetchResponse } from '../../src/host/index.ts';
import { Authorizer } from '../../src/registry/authorizer.ts';
import type { Credential, Credentials } from '../../src/registry/credentials.ts';
import type { Request } from '../../src/registry/follow.ts';
import { Secrets } from '../../src/registry/redact.ts';
import { pull, push } from '../../src/registry/scope.ts';
import { fetchToken, type TokenDoor } from '../../src/registry/token.ts';
import { fakeHost } from '../support/fake-host.ts';
import { codeOf, repo } from './scripted.ts';

const anonymous: Credential = { $case: 'anonymous' };
const password: Credential = { $case: 'password', username: 'me', password: 'hush-hush', source: 'test' };

interface Door extends TokenDoor {
  readonly asked: Request[];
}
/** A token endpoint that answers with these texts, one after the other. */
function door(...bodies: readonly (string | Buffer)[]): Door {
  const asked: Request[] = [];
  return {
    secrets: new Secrets(),
    plainHttp: ['plain.example'],
    now: () => 1_000_000,
    asked,
    ask: async <T>(request: Request, _repo: unknown, read: (response: FetchResponse) => Promise<T>) => {
      asked.push(request);
      const body = Readable.from([Buffer.from(bodies[asked.length - 1] ?? '{}')]);
      return await read({ status: 200, headers: new Map(), body });
    },
  };
}
const token = (value: unknown, more: object = {}): string => JSON.stringify({ token: value, ...more });
const asking = {
  realm: 'https://auth.example/token',
  scopes: [],
  credential: anonymous,
  repo,
  origin: 'https://quay.example',
};
const fetched = (body: string | Buffer) => fetchToken(door(body), asking);

describe('a token', () => {
  test.each([
    ['token', token('abc')],
    ['access_token', JSON.stringify({ access_token: 'abc' })],
  ])('is what the answer calls %s', async (_name, body) => {
    expect((await fetched(body)).value).toBe('abc');
  });

  test.each([
    ['that ends a header', token('abc\r\nx-evil: 1')],
    ['with a line feed', token('abc\n')],
    ['with a NUL', token('a\0b')],
    ['with a blank', token('a b')],
    ['with an escape of the second set', token('a\u009bb')],
    ['with letters beyond ASCII', token('é')],
    ['of nothing', token('')],
    ['that is a number', token(1)],
    ['in no JSON', 'abc'],
    ['in a list', '["abc"]'],
    ['that is absent', '{}'],
  ])('%s is refused', async (_name, body) => {
    expect(await codeOf(fetched(body))).toBe('registry/challenge');
  });

  test.each([
    ['of 300 s is renewed 10 s early', { expires_in: 300 }, 290_000],
    ['of 20 s is renewed when a fifth is left', { expires_in: 20 }, 16_000],
    ['that names no time holds for 60 s', {}, 50_000],
    ['of a negative time holds for 60 s', { expires_in: -1 }, 50_000],
    ['of a time in words holds for 60 s', { expires_in: '3600' }, 50_000],
  ])('%s', async (_name, more, milliseconds) => {
    expect((await fetched(token('abc', more))).until).toBe(1_000_000 + milliseconds);
  });

  const answerOf = (bytes: number): string => token('abc').padEnd(bytes);
  test.each([
    [256 * 1024, 'fine'],
    [256 * 1024 + 1, 'registry/too-large'],
  ])('in an answer of %s bytes: %s', async (bytes, outcome) => {
    expect(await codeOf(fetched(answerOf(bytes)))).toBe(outcome);
  });

  test('and the password that it was asked for with are shown nowhere', async () => {
    const open = door(token('token-0123'));
    await fetchToken(open, { ...asking, credential: password });
    const basic = open.asked[0]?.authorization?.slice('Basic '.length) ?? 'none';
    expect(open.secrets.scrub(`said token-0123 and ${basic}`)).toBe('said [redacted] and [redacted]');
  });
});

describe('a token endpoint', () => {
  test.each([
    ['https://auth.example/token', 'https://quay.example', 'fine'],
    ['http://127.0.0.1/token', 'http://127.0.0.1', 'fine'],
    ['http://plain.example/token', 'http://plain.example', 'fine'],
    ['http://auth.example/token', 'http://127.0.0.1', 'registry/challenge'],
    ['http://127.0.0.1/token', 'https://quay.example', 'registry/challenge'],
    ['http://plain.example/token', 'https://quay.example', 'registry/challenge'],
    ['https://me@auth.example/token', 'https://quay.example', 'registry/challenge'],
    ['https://:hush@auth.example/token', 'https://quay.example', 'registry/challenge'],
    ['ftp://auth.example/token', 'https://quay.example', 'registry/challenge'],
    ['auth.example/token', 'https://quay.example', 'registry/challenge'],
  ])('%s of a registry at %s: %s', async (realm, origin, outcome) => {
    expect(await codeOf(fetchToken(door(token('abc')), { ...asking, realm, origin }))).toBe(outcome);
  });
});

const origin = 'https://quay.example';
const challenge = 'Bearer realm="https://auth.example/token",service="s"';

/** An authorizer whose user is `now.credential` at the moment. */
function authorizer(bodies: readonly string[], now: { credential: Credential } = { credential: anonymous }) {
  const open = door(...bodies);
  const host = fakeHost();
  const door2 = { ...open, now: () => host.clock.now().getTime() };
  const credentials = { find: async () => now.credential } as unknown as Credentials;
  const auth = new Authorizer(host, credentials, open.secrets, door2);
  const challenged = (sent?: string, header = challenge, scopes = [pull('team/app')]) =>
    auth.challenged(origin, repo, scopes, header, sent);
  return { auth, challenged, host, asked: open.asked, secrets: open.secrets };
}

describe('a token that is kept', () => {
  test('is used again for the same', async () => {
    const { auth, challenged, asked } = authorizer([token('one')]);
    expect(await challenged()).toBe('Bearer one');
    expect(await auth.header(origin, repo, [pull('team/app')])).toBe('Bearer one');
    expect(asked).toHaveLength(1);
  });

  test('is not used for another credential', async () => {
    const now: { credential: Credential } = { credential: anonymous };
    const { auth, challenged } = authorizer([token('one'), token('two')], now);
    await challenged();
    now.credential = password;
    expect(await auth.header(origin, repo, [pull('team/app')])).toBe('Bearer two');
  });

  test.each([
    ['another repository', [pull('team/other')]],
    ['more rights', [push('team/app')]],
  ])('is not used for %s', async (_name, scopes) => {
    const { auth, challenged } = authorizer([token('one'), token('two')]);
    await challenged();
    expect(await auth.header(origin, repo, scopes)).toBe('Bearer two');
  });

  test('is not used for another registry', async () => {
    const { auth, challenged } = authorizer([token('one')]);
    await challenged();
    expect(await auth.header('https://other.example', repo, [pull('team/app')])).toBeUndefined();
  });

  test.each([
    [49_999, 'Bearer one'],
    [50_000, 'Bearer two'],
  ])('of 60 s is, after %s ms, %s', async (milliseconds, expected) => {
    const { auth, challenged, host } = authorizer([token('one'), token('two')]);
    await challenged();
    host.advance(milliseconds);
    expect(await auth.header(origin, repo, [pull('team/app')])).toBe(expected);
  });

  test('and was refused is forgotten', async () => {
    const { challenged } = authorizer([token('one'), token('two')]);
    await challenged();
    expect(await challenged('Bearer one')).toBe('Bearer two');
  });

  test('of a service is not used when another service is named', async () => {
    const { challenged } = authorizer([token('one'), token('two')]);
    await challenged();
    expect(await challenged(undefined, challenge.replace('"s"', '"t"'))).toBe('Bearer two');
  });
});

describe('a challenge', () => {
  test('that is answered with what was refused already is not answered again', async () => {
    const { challenged } = authorizer([token('one'), token('one')]);
    await challenged();
    expect(await challenged('Bearer one')).toBeUndefined();
  });

  test('without a realm is refused', async () => {
    const { challenged } = authorizer([token('one')]);
    expect(await codeOf(challenged(undefined, 'Bearer service="s"'))).toBe('registry/challenge');
  });

  test.each([undefined, 'Negotiate', ''])('%j has no answer', async (header) => {
    const { auth } = authorizer([]);
    expect(await auth.challenged(origin, repo, [], header, undefined)).toBeUndefined();
  });

  test('for a name and password has none where there is no password', async () => {
    expect(await authorizer([]).challenged(undefined, 'Basic realm="x"')).toBeUndefined();
  });

  test('for a name and password is answered, and what is sent is shown nowhere', async () => {
    const { challenged, secrets } = authorizer([], { credential: password });
    const basic = Buffer.from('me:hush-hush').toString('base64');
    expect(await challenged(undefined, 'Basic realm="x"')).toBe(`Basic ${basic}`);
    expect(secrets.scrub(`said ${basic}`)).toBe('said [redacted]');
  });
});
