import { expect, test } from 'vitest';
import { Authorizer } from '../../src/registry/authorizer.ts';
import type { Credential, Credentials } from '../../src/registry/credentials.ts';
import { Secrets } from '../../src/registry/redact.ts';
import type { TokenDoor } from '../../src/registry/token.ts';
import { fakeHost } from '../support/fake-host.ts';

/** What is said when a registry at `origin` asks twice who we are. */
async function said(origin: string, credential: Credential): Promise<readonly string[]> {
  const host = fakeHost({});
  const credentials = { find: async () => credential } as unknown as Credentials;
  const authorizer = new Authorizer(host, credentials, new Secrets(), {} as TokenDoor);
  const repo = { registry: new URL(origin).host, repository: 'team/app' };
  const answer = await authorizer.challenged(origin, repo, [], 'Basic realm="x"', undefined);
  expect(answer !== undefined).toBe(credential.$case !== 'anonymous');
  await authorizer.header(origin, repo, []);
  return host.told.filter((line) => line.includes('plain HTTP'));
}

const login: Credential = { $case: 'password', username: 'me', password: 'a long password', source: 'a test' };

test('a login that goes over plain HTTP beyond this machine is warned of, once', async () => {
  expect(await said('http://registry.example:5000', login)).toEqual([
    expect.stringContaining('registry.example:5000 goes over plain HTTP'),
  ]);
});

test.each<[string, string, Credential]>([
  ['over TLS', 'https://registry.example', login],
  ['to loopback', 'http://127.0.0.1:5000', login],
  ['without a login', 'http://registry.example', { $case: 'anonymous' }],
])('%s nothing is said', async (_name, origin, credential) => {
  expect(await said(origin, credential)).toEqual([]);
});
