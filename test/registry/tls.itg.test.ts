import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { digestOf, mediaTypes } from '../../src/core/index.ts';
import { createRegistry } from '../../src/registry/index.ts';
import { fakeHost } from '../support/fake-host.ts';
import { startDockerRegistry, type DockerRegistry } from '../support/registries/docker-registry.ts';

const work = mkdtempSync(join(tmpdir(), 'tls-'));
const file = (name: string) => join(work, name);
const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: work, stdio: 'ignore' });
let open: DockerRegistry;
let closed: DockerRegistry;

/** A key and a certificate of our authority, for the server or for a client. */
function issue(name: string, extensions: string): void {
  writeFileSync(file(`${name}.ext`), extensions);
  const request = ['-newkey', 'rsa:2048', '-nodes', '-keyout', `${name}.key`, '-out', `${name}.csr`];
  openssl('req', ...request, '-subj', `/CN=${name}`);
  const signing = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', `${name}.ext`];
  openssl('x509', '-req', '-in', `${name}.csr`, ...signing, '-out', `${name}.crt`);
}

beforeAll(async () => {
  openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-days',
    '2',
    '-subj',
    '/CN=ca',
  );
  issue('server', 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n');
  issue('client', 'extendedKeyUsage=clientAuth\n');
  const tls = { certificate: file('server.crt'), key: file('server.key') };
  open = await startDockerRegistry(undefined, tls);
  closed = await startDockerRegistry(undefined, { ...tls, clientcas: [file('ca.crt')] });
});

afterAll(async () => {
  await Promise.all([open.close(), closed.close()]);
  rmSync(work, { recursive: true, force: true });
});

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(work, 'home-'));
  vi.stubEnv('HOME', home);
  return () => vi.unstubAllEnvs();
});

function trust(host: string, files: Readonly<Record<string, string>>): void {
  const directory = join(home, '.config/containers/certs.d', host);
  mkdirSync(directory, { recursive: true });
  for (const [name, from] of Object.entries(files)) writeFileSync(join(directory, name), readFileSync(file(from)));
}

/** Pushes an image by our client and has skopeo read it with the same certificates. */
async function roundTrip(host: string): Promise<string> {
  const registry = createRegistry(fakeHost());
  const repo = { registry: host, repository: 'tls/image' };
  const bytes = Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}');
  const config = { mediaType: mediaTypes.config, digest: digestOf(bytes), size: bytes.length };
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers: [] };
  const source = { open: () => Readable.from([bytes]), manifest: async () => bytes };
  await registry.upload(repo, source, config);
  const { digest } = await registry.put(repo, Buffer.from(JSON.stringify(manifest)), mediaTypes.manifest, 'one');
  expect((await registry.manifest({ ...repo, tag: 'one' })).descriptor.digest).toBe(digest);
  const seen = execFileSync('skopeo', ['inspect', '--format', '{{.Digest}}', `docker://${host}/tls/image:one`], {
    env: { ...process.env, HOME: home },
    encoding: 'utf8',
  });
  expect(seen.trim()).toBe(digest);
  return digest;
}

const problem = (host: string) =>
  createRegistry(fakeHost(), { retry: { attempts: 1 } })
    .resolve({ registry: host, repository: 'tls/image', tag: 'one' })
    .then(
      () => 'none',
      (error: unknown) => (error as { code: string }).code,
    );

describe('a registry on loopback that speaks TLS', () => {
  test('is reached by the authority in certs.d, as skopeo reaches it', async () => {
    trust(open.host, { 'ca.crt': 'ca.crt' });
    expect(await roundTrip(open.host)).toMatch(/^sha256:/);
  });

  test('is not trusted by certificates of another port, or by another authority', async () => {
    trust(closed.host, { 'ca.crt': 'ca.crt' });
    expect(await problem(open.host)).not.toBe('none');
    trust(open.host, { 'ca.crt': 'client.crt' });
    expect(await problem(open.host)).toBe('registry/certificate');
  });

  test('and wants a client certificate gets the one in certs.d', async () => {
    trust(closed.host, { 'ca.crt': 'ca.crt' });
    expect(await problem(closed.host)).toBe('registry/certificate');
    trust(closed.host, { 'client.cert': 'client.crt', 'client.key': 'client.key' });
    expect(await roundTrip(closed.host)).toMatch(/^sha256:/);
  });

  test('a client certificate without its key is an error that names the place', async () => {
    trust(closed.host, { 'ca.crt': 'ca.crt', 'client.cert': 'client.crt' });
    const asking = createRegistry(fakeHost()).resolve({ registry: closed.host, repository: 'a/b', tag: '1' });
    await expect(asking).rejects.toMatchObject({
      code: 'host/certificates',
      facts: { where: { file: expect.stringContaining(closed.host) as string } },
    });
  });
});
