import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dockerEngine, parseEndpoint } from '../../src/engines/index.ts';
import { makeCertificates } from '../../src/lab/certificates.ts';
import { run } from '../../src/lab/run.ts';
import type { LabState } from '../../src/lab/state.ts';
import { useLab } from '../lab/use-lab.ts';
import { buildsRight, host } from './build-kit.ts';

let lab: LabState;
let folder: string;
let server: Server;
let endpoint: string;
/** Connections that showed a certificate of the CA. */
let known = 0;

/** The lab's Docker behind TLS, as dockerd --tlsverify serves it: only who has a certificate is let in. */
beforeAll(async () => {
  lab = await useLab();
  folder = await mkdtemp(join(tmpdir(), 'docker-tls-'));
  const at = (name: string): string => join(folder, name);
  const { ca, certificate, key } = await makeCertificates(folder);
  const request = ['-newkey', 'rsa:2048', '-nodes', '-keyout', at('key.pem'), '-subj', '/CN=client'];
  await run('openssl', ['req', ...request, '-out', at('client.csr')]);
  await writeFile(at('client.ext'), 'extendedKeyUsage=clientAuth\n');
  const signing = ['-CA', ca, '-CAkey', at('ca.key'), '-CAcreateserial', '-extfile', at('client.ext')];
  await run('openssl', ['x509', '-req', '-in', at('client.csr'), ...signing, '-out', at('cert.pem')]);
  const socket = lab.docker.classic.slice('unix://'.length);
  const options = { key: await readFile(key), cert: await readFile(certificate), ca: await readFile(ca) };
  server = createServer({ ...options, requestCert: true, rejectUnauthorized: true }, (near) => {
    known += 1;
    const far = connect(socket);
    for (const one of [near, far]) one.on('error', () => undefined);
    near.pipe(far).pipe(near);
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endpoint = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

const engineWith = (certificates: string) =>
  dockerEngine(
    { ...host, env: { ...host.env, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: certificates } },
    { endpoint: parseEndpoint(endpoint) },
  );

test('an image is built through TLS with the certificates of DOCKER_CERT_PATH', async () => {
  await buildsRight(engineWith(folder), lab, 'linux/amd64');
  expect(known).toBeGreaterThan(0);
});

test('an engine whose certificate is of an unknown CA is not spoken to', async () => {
  const others = join(folder, 'others');
  await makeCertificates(others);
  const before = known;
  await expect(engineWith(others).info()).rejects.toMatchObject({
    code: 'engines/unreachable',
    exit: 4,
    facts: { hint: expect.stringContaining('DOCKER_CERT_PATH') as string },
  });
  expect(known).toBe(before);
});

test('without a certificate of one’s own the engine lets nobody in, and the error says what is missing', async () => {
  const only = await mkdtemp(join(folder, 'ca-only-'));
  await copyFile(join(folder, 'ca.pem'), join(only, 'ca.pem'));
  const before = known;
  await expect(engineWith(only).info()).rejects.toMatchObject({
    code: 'engines/unreachable',
    exit: 4,
    facts: { hint: expect.stringContaining('DOCKER_CERT_PATH') as string },
  });
  expect(known).toBe(before);
});
