import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseChallenges } from '../../src/registry/challenge.ts';
import { createRegistry } from '../../src/registry/index.ts';
import { authFilePaths, keysFor, normaliseKey } from '../../src/registry/docker-config.ts';
import { redactUrl, Secrets } from '../../src/registry/redact.ts';
import { endpointOf, mirrored } from '../../src/registry/repository.ts';
import { covers, formatScopes, pull, push } from '../../src/registry/scope.ts';
import { fakeHost } from '../support/fake-host.ts';

describe('challenges', () => {
  test.each([
    [
      'Bearer realm="https://a/t?x=1,2",service="s",scope="repository:a/b:pull,push"',
      [['bearer', { realm: 'https://a/t?x=1,2', service: 's', scope: 'repository:a/b:pull,push' }]],
    ],
    [
      'Basic realm="x", Bearer realm="y",service=z',
      [
        ['basic', { realm: 'x' }],
        ['bearer', { realm: 'y', service: 'z' }],
      ],
    ],
    ['BASIC realm="quo\\"ted"', [['basic', { realm: 'quo"ted' }]]],
    ['Negotiate', [['negotiate', {}]]],
    ['', []],
    ['===', []],
  ])('%s', (header, expected) => {
    expect(parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)])).toEqual(
      expected,
    );
  });

  test('nothing a server sends makes the parser fail or hang', () => {
    fc.assert(fc.property(fc.string(), (header) => Array.isArray(parseChallenges(header))));
  });
});

describe('where credentials are looked for', () => {
  test('in the order of the tools that wrote them', () => {
    const env = { HOME: '/home/u', XDG_RUNTIME_DIR: '/run/user/1' };
    expect(authFilePaths(env)).toEqual([
      '/run/user/1/containers/auth.json',
      '/home/u/.config/containers/auth.json',
      '/home/u/.docker/config.json',
    ]);
    expect(authFilePaths({ ...env, DOCKER_CONFIG: '/d/' })[0]).toBe('/d/config.json');
    expect(authFilePaths({ ...env, DOCKER_CONFIG: '/d/' })).not.toContain('/home/u/.docker/config.json');
    expect(authFilePaths({ ...env, REGISTRY_AUTH_FILE: '/x' })).toEqual(['/x']);
    expect(authFilePaths({}, 7)).toEqual(['/run/containers/7/auth.json']);
  });

  test('keys name a host as a whole', () => {
    expect(normaliseKey('https://Quay.IO/v2/')).toBe('quay.io');
    expect(normaliseKey('https://index.docker.io/v1/')).toBe('index.docker.io');
    expect(normaliseKey('quay.io/Org')).toBe('quay.io/Org');
    expect(keysFor('quay.io', 'a/b')).toEqual(['quay.io/a/b', 'quay.io/a', 'quay.io']);
    expect(keysFor('docker.io', 'a')).toContain('index.docker.io');
  });
});

describe('scopes', () => {
  test('are merged by repository and sorted', () => {
    expect(formatScopes([pull('b'), push('a'), pull('a')])).toEqual(['repository:a:pull,push', 'repository:b:pull']);
  });

  test('a push token also pulls, from its own repository only', () => {
    expect(covers(['repository:a:pull,push'], ['repository:a:pull'])).toBe(true);
    expect(covers(['repository:a:pull'], ['repository:a:pull,push'])).toBe(false);
    expect(covers(['repository:a:pull,push'], ['repository:a/b:pull'])).toBe(false);
    expect(covers(['repository:h:5000/a:pull'], ['repository:h:5000/a:pull'])).toBe(true);
  });
});

describe('what is never shown', () => {
  test('user information and signed values of a URL', () => {
    expect(redactUrl('https://u:p@host/x?X-Amz-Signature=abc&digest=sha256:1')).toBe(
      'https://host/x?X-Amz-Signature=…&digest=sha256:1',
    );
    expect(redactUrl('not a url?sig=abc')).toBe('not a url?…');
  });

  test('known secrets, tokens, signed URLs and control characters in foreign words', () => {
    const secrets = new Secrets();
    secrets.remember('s3cr3t-word', undefined, 'abc');
    const said = 'denied for s3cr3t-word, Bearer eyJhbGciOi.J9 at https://u:p@h/x?sig=1 \u001b[2J "token":"abcdef" abc';
    const clean = secrets.scrub(said);
    expect(clean).toBe('denied for [redacted], Bearer [redacted] at https://h/x?sig=… [2J "token":"…" abc');
    expect(secrets.scrub('x'.repeat(1000)).length).toBeLessThanOrEqual(301);
  });
});

describe('addresses', () => {
  test('plain http is for loopback, and for hosts that the caller names', () => {
    const origin = (registry: string, plain: string[] = []) =>
      endpointOf({ registry, repository: 'a/b' }, plain).origin;
    expect(origin('127.0.0.1:5000')).toBe('http://127.0.0.1:5000');
    expect(origin('127.9.8.7')).toBe('http://127.9.8.7');
    expect(origin('[::1]:5000')).toBe('http://[::1]:5000');
    expect(origin('localhost:5000')).toBe('http://localhost:5000');
    expect(origin('localhost.example.com')).toBe('https://localhost.example.com');
    expect(origin('registry.lan:5000')).toBe('https://registry.lan:5000');
    expect(origin('registry.lan:5000', ['registry.lan:5000'])).toBe('http://registry.lan:5000');
    expect(origin('registry.lan:5001', ['registry.lan:5000'])).toBe('https://registry.lan:5001');
  });

  test('TLS is for loopback, too, where certs.d has certificates', () => {
    const origin = (registry: string, plain: string[] = []) =>
      endpointOf({ registry, repository: 'a/b' }, plain, true).origin;
    expect(origin('127.0.0.1:5000')).toBe('https://127.0.0.1:5000');
    expect(origin('127.0.0.1:5000', ['127.0.0.1:5000'])).toBe('http://127.0.0.1:5000');
  });

  test('RUNNER_IMAGE_PLAIN_HTTP names hosts without TLS, and nothing else is asked without it', async () => {
    const asked: string[] = [];
    const env = { RUNNER_IMAGE_PLAIN_HTTP: 'plain.lan:5000, other.lan' };
    const fetch = async (url: string) => {
      asked.push(new URL(url).origin);
      return { status: 404, headers: new Map<string, string>(), body: Readable.from([]) };
    };
    const registry = createRegistry(fakeHost({ env, fetch }));
    for (const host of ['plain.lan:5000', 'other.lan', 'tls.lan'])
      await registry.resolve({ registry: host, repository: 'a/b', tag: '1' }).catch(() => undefined);
    expect(asked).toEqual(['http://plain.lan:5000', 'http://other.lan', 'https://tls.lan']);
  });

  test('Docker Hub has another host and a default namespace', () => {
    expect(endpointOf({ registry: 'docker.io', repository: 'alpine' })).toEqual({
      origin: 'https://registry-1.docker.io',
      name: 'library/alpine',
    });
    expect(endpointOf({ registry: 'docker.io', repository: 'a/b' }).name).toBe('a/b');
  });

  test('mirrors match whole components, the longest first', () => {
    const mirrors = { 'quay.io': 'm:1/q', 'quay.io/org/app': 'm:2/x/y', 'ghcr.io/': 'm:3/g/' };
    const at = (registry: string, repository: string) => {
      const ref = mirrored({ registry, repository }, mirrors);
      return `${ref.registry} ${ref.repository}`;
    };
    expect(at('quay.io', 'org/app')).toBe('m:2 x/y');
    expect(at('quay.io', 'org/app/sub')).toBe('m:2 x/y/sub');
    expect(at('quay.io', 'org/apple')).toBe('m:1 q/org/apple');
    expect(at('ghcr.io', 'a')).toBe('m:3 g/a');
    expect(at('quay.io.example.com', 'org/app')).toBe('quay.io.example.com org/app');
  });
});
