import { describe, expect, test } from 'vitest';
import { renderError } from '../../src/errors/index.ts';
import type { ExecOptions } from '../../src/host/index.ts';
import { createRegistry, type Registry } from '../../src/registry/index.ts';
import { fakeHost, type FakeHost } from '../support/fake-host.ts';
import { makeImage, type TestImage } from '../support/registries/image.ts';
import { loginFile, passwordFor } from '../support/registries/login.ts';
import type { AuthOptions } from '../support/registries/memory-auth.ts';
import { startMemoryRegistry, type MemoryRegistry } from '../support/registries/memory-registry.ts';
import { closers } from './stage.ts';

const user = { user: 'org+robot', password: 'hunter2-hunter2' };

/** told gives the text that a user would read. */
const told = (failing: Promise<unknown>): Promise<string> => failing.then(() => 'no error', renderError);

interface Door {
  readonly server: MemoryRegistry;
  readonly registry: Registry;
  readonly fake: FakeHost;
  readonly image: TestImage;
  readonly repo: { readonly registry: string; readonly repository: string };
}

/** door is a registry that asks who we are, and a client whose auth.json is made for its host. */
async function door(
  auth: Partial<AuthOptions>,
  config: (host: string) => unknown,
  run?: (
    command: string,
    args: readonly string[],
    options: ExecOptions,
  ) => Promise<{ exitCode: number; stdout: string; stderr: string }>,
): Promise<Door> {
  const clock = { now: () => 0 };
  const server = await startMemoryRegistry({ auth: { scheme: 'bearer', ...user, ...auth }, now: () => clock.now() });
  const login = loginFile(config(server.host));
  closers.push(() => server.close(), login.remove);
  const fake = fakeHost({ env: login.env, ...(run === undefined ? {} : { run }) });
  clock.now = () => fake.clock.now().getTime();
  const repo = { registry: server.host, repository: 'team/app' };
  return { server, registry: createRegistry(fake), fake, image: makeImage('auth'), repo };
}

const withPassword = (host: string): unknown => ({ auths: { [host]: passwordFor(user.user, user.password) } });

describe('bearer tokens', () => {
  test('one token serves a whole push, and is renewed before it expires', async () => {
    const { server, registry, fake, image, repo } = await door({ expiresIn: 100 }, withPassword);
    await registry.push(repo, image.root, image.source);
    expect(server.auth?.tokenRequests).toEqual([{ method: 'GET', scopes: ['repository:team/app:pull,push'] }]);
    expect(server.log.filter((line) => line === 'GET /token')).toHaveLength(1);
    fake.advance(85_000);
    await registry.push(repo, image.root, image.source);
    expect(server.auth?.tokenRequests).toHaveLength(1);
    fake.advance(6_000);
    await registry.push(repo, image.root, image.source);
    expect(server.auth?.tokenRequests).toHaveLength(2);
  });

  test('a mount asks for both repositories in one token', async () => {
    const { server, registry, image, repo } = await door({}, withPassword);
    await registry.push(repo, image.root, image.source);
    const report = await registry.push({ ...repo, repository: 'released/app' }, image.root, image.source, {
      mountFrom: ['team/app'],
    });
    expect(report.blobs.mounted).toBe(5);
    expect(server.auth?.tokenRequests.map(({ scopes }) => scopes)).toContainEqual([
      'repository:released/app:pull,push',
      'repository:team/app:pull',
    ]);
  });

  test('a revoked token is replaced once', async () => {
    const { server, registry, image, repo } = await door({}, withPassword);
    await registry.push(repo, image.root, image.source);
    server.auth?.revokeAll();
    await registry.push(repo, image.root, image.source);
    expect(server.auth?.tokenRequests).toHaveLength(2);
  });

  test('an identity token is exchanged by POST', async () => {
    const { server, registry, image, repo } = await door({ identityToken: 'refresh-0123456789' }, (host) => ({
      auths: { [host]: { identitytoken: 'refresh-0123456789' } },
    }));
    await registry.push(repo, image.root, image.source);
    expect(server.auth?.tokenRequests).toEqual([{ method: 'POST', scopes: ['repository:team/app:pull,push'] }]);
  });

  test('nobody logged in: what is public is read, and writing says how to log in', async () => {
    const { server, registry, image, repo } = await door({ anonymousPull: true }, () => ({}));
    await expect(registry.resolve({ ...repo, tag: 'v1' })).rejects.toMatchObject({ code: 'registry/not-found' });
    const failing = registry.push(repo, image.root, image.source);
    await expect(failing).rejects.toMatchObject({ code: 'registry/unauthorized', exit: 3 });
    expect(await failing.catch(renderError)).toContain(`docker login ${server.host}`);
  });

  test('an account without the right to push ends in one error, without tries', async () => {
    const { fake, registry, image, repo } = await door({ readOnly: ['team/app'] }, withPassword);
    await expect(registry.push(repo, image.root, image.source)).rejects.toMatchObject({
      code: 'registry/unauthorized',
    });
    expect(fake.slept).toEqual([]);
  });

  test('a wrong password is told as such, and is in no error and no line', async () => {
    const { server, fake, registry, image, repo } = await door({ password: 'another one' }, withPassword);
    const text = await told(registry.push(repo, image.root, image.source));
    expect(text).toContain('could not get a token from 127.0.0.1');
    expect(text).toContain('incorrect username or password');
    expect(`${text}${fake.told.join()}`).not.toContain(user.password);
    expect(`${text}${fake.told.join()}`).not.toContain(passwordFor(user.user, user.password).auth);
    expect(server.auth?.tokenRequests).toHaveLength(1);
  });

  test('a token endpoint over plain http gets no password from a registry over https', async () => {
    const asked: string[] = [];
    const login = loginFile({ auths: { 'quay.io': passwordFor(user.user, user.password) } });
    closers.push(login.remove);
    const fake = fakeHost({
      env: login.env,
      fetch: async (url) => {
        asked.push(url);
        const { Readable } = await import('node:stream');
        const headers = new Map([['www-authenticate', 'Bearer realm="http://127.0.0.1:9/token",service="x"']]);
        return { status: 401, headers, body: Readable.from([]) };
      },
    });
    const failing = createRegistry(fake).resolve({ registry: 'quay.io', repository: 'a/b', tag: 'c' });
    await expect(failing).rejects.toMatchObject({ code: 'registry/challenge' });
    expect(asked).toEqual(['https://quay.io/v2/a/b/manifests/c']);
  });
});

describe('which credentials are sent', () => {
  test.each([
    ['the host alone', (host: string) => host],
    ['a URL', (host: string) => `https://${host}/v2/`],
    ['the namespace', (host: string) => `${host}/team`],
    ['the repository', (host: string) => `${host}/team/app`],
  ])('an entry for %s matches', async (_name, key) => {
    const { registry, image, repo } = await door({ scheme: 'basic' }, (host) => ({
      auths: { [key(host)]: passwordFor(user.user, user.password) },
    }));
    expect((await registry.push(repo, image.root, image.source)).manifests.pushed).toBe(3);
  });

  test.each([
    ['a host that contains this one', (host: string) => `x${host}`],
    ['a host that goes on', (host: string) => `${host}0`],
    ['the name without the port', (host: string) => host.split(':')[0] ?? ''],
    ['a namespace that only begins alike', (host: string) => `${host}/tea`],
    ['another namespace', (host: string) => `${host}/team/app/more`],
  ])('an entry for %s does not', async (_name, key) => {
    const { server, registry, image, repo } = await door({ scheme: 'basic' }, (host) => ({
      auths: { [key(host)]: passwordFor(user.user, user.password) },
    }));
    await expect(registry.push(repo, image.root, image.source)).rejects.toMatchObject({
      code: 'registry/unauthorized',
    });
    expect(server.requests.every(({ headers }) => headers.authorization === undefined)).toBe(true);
  });

  test('the more specific entry wins', async () => {
    const { registry, image, repo } = await door({ scheme: 'basic' }, (host) => ({
      auths: {
        [host]: passwordFor('someone', 'else entirely'),
        [`${host}/team`]: passwordFor(user.user, user.password),
      },
    }));
    expect((await registry.push(repo, image.root, image.source)).manifests.pushed).toBe(3);
  });
});

describe('credential helpers', () => {
  const helper =
    (result: { exitCode?: number; stdout?: string; stderr?: string }, calls: unknown[] = []) =>
    async (command: string, args: readonly string[], options: ExecOptions) => {
      calls.push([command, ...args, options.input]);
      return { exitCode: 0, stdout: '', stderr: '', ...result };
    };

  test('the helper of this host is asked on stdin, once', async () => {
    const calls: unknown[] = [];
    const stdout = JSON.stringify({ ServerURL: 'x', Username: user.user, Secret: user.password });
    const { server, registry, image, repo } = await door(
      {},
      (host) => ({ credHelpers: { [host]: 'vault', other: 'no' }, credsStore: 'no' }),
      helper({ stdout }, calls),
    );
    await registry.push(repo, image.root, image.source);
    expect(calls).toEqual([['docker-credential-vault', 'get', `${server.host}\n`]]);
  });

  test('a helper that gives <token> gives an identity token', async () => {
    const stdout = JSON.stringify({ Username: '<token>', Secret: 'refresh-0123456789' });
    const { server, registry, image, repo } = await door(
      { identityToken: 'refresh-0123456789' },
      () => ({ credsStore: 'desktop' }),
      helper({ stdout }),
    );
    await registry.push(repo, image.root, image.source);
    expect(server.auth?.tokenRequests[0]?.method).toBe('POST');
  });

  test('a store that knows nothing leaves us anonymous', async () => {
    const { registry, repo } = await door(
      { anonymousPull: true },
      () => ({ credsStore: 'desktop' }),
      helper({ exitCode: 1, stdout: 'credentials not found in native keychain\n' }),
    );
    await expect(registry.resolve({ ...repo, tag: 'v1' })).rejects.toMatchObject({ code: 'registry/not-found' });
  });

  test('a helper that fails is an error, not anonymity; what it printed on stdout stays hidden', async () => {
    const { registry, repo } = await door(
      {},
      () => ({ credsStore: 'desktop' }),
      helper({ exitCode: 2, stdout: 'half a secret', stderr: 'keychain is locked' }),
    );
    const failing = registry.resolve({ ...repo, tag: 'v1' });
    await expect(failing).rejects.toMatchObject({ code: 'registry/credential-helper', exit: 4 });
    const text = await told(failing);
    expect(text).toContain('exit code 2: keychain is locked');
    expect(text).not.toContain('half a secret');
  });

  test('a helper whose name is a path is refused', async () => {
    const calls: unknown[] = [];
    const { registry, repo } = await door({}, () => ({ credsStore: '../../tmp/evil' }), helper({}, calls));
    await expect(registry.resolve({ ...repo, tag: 'v1' })).rejects.toMatchObject({
      code: 'registry/credential-helper',
      exit: 2,
    });
    expect(calls).toEqual([]);
  });
});

describe('files with credentials', () => {
  test('a file that is no JSON is named, and never quoted', async () => {
    const { registry, repo, fake } = await door({}, () => ({}));
    const { writeFile } = await import('node:fs/promises');
    await writeFile(fake.env['REGISTRY_AUTH_FILE'] ?? '', '{"auths": {"quay.io": {"auth": "c2VjcmV0OnNlY3JldA=="');
    const failing = registry.resolve({ ...repo, tag: 'v1' });
    await expect(failing).rejects.toMatchObject({ code: 'registry/auth-file', exit: 2 });
    const text = await told(failing);
    expect(text).toContain(fake.env['REGISTRY_AUTH_FILE']);
    expect(text).not.toContain('c2VjcmV0');
  });
});
