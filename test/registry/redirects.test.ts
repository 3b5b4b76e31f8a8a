import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { Descriptor } from '../../src/core/index.ts';
import { renderError } from '../../src/errors/index.ts';
import { createRegistry } from '../../src/registry/index.ts';
import { fakeHost } from '../support/fake-host.ts';
import { answer, on } from '../support/registries/faults.ts';
import { makeImage } from '../support/registries/image.ts';
import { loginFile, passwordFor } from '../support/registries/login.ts';
import { startMemoryRegistry } from '../support/registries/memory-registry.ts';
import { closers, stage } from './stage.ts';

describe('redirects', () => {
  async function store(content: () => Buffer | undefined) {
    const seen: (string | undefined)[] = [];
    const http = createServer((request, response) => {
      seen.push(request.headers.authorization);
      const body = content();
      if (body === undefined) response.writeHead(403).end('SignatureDoesNotMatch: X-Amz-Signature=0123456789abcdef');
      else response.writeHead(200, { 'content-length': String(body.length) }).end(body);
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.2', resolve));
    closers.push(() => {
      http.close();
      http.closeAllConnections();
    });
    return { seen, host: `127.0.0.2:${(http.address() as AddressInfo).port}` };
  }

  test.each(['basic', 'bearer'] as const)('credentials (%s) never go to where a blob is redirected', async (scheme) => {
    let content: Buffer | undefined;
    const elsewhere = await store(() => content);
    const user = { user: 'me', password: 'a long password' };
    const server = await startMemoryRegistry({
      auth: { scheme, ...user },
      blobsAt: (digest) => `http://${elsewhere.host}/${digest}?X-Amz-Signature=0123456789abcdef`,
    });
    closers.push(() => server.close());
    const login = loginFile({ auths: { [server.host]: passwordFor(user.user, user.password) } });
    closers.push(login.remove);
    const fake = fakeHost({ env: login.env });
    const registry = createRegistry(fake);
    const image = makeImage('redirect');
    const repo = { registry: server.host, repository: 'team/app' };
    await registry.push(repo, image.root, image.source);
    const blob = image.blobs[2] as Descriptor;
    content = server.store.repository('team/app').blobs.get(blob.digest);
    expect(
      Buffer.concat((await registry.blob(repo, blob).toArray()) as Buffer[]).equals(content ?? Buffer.alloc(0)),
    ).toBe(true);
    expect(elsewhere.seen).toEqual([undefined]);
    expect(server.requests.at(-1)?.headers.authorization).toMatch(/^(Basic|Bearer) /);
    content = undefined;
    const text = await registry.blob(repo, blob).toArray().catch(renderError);
    expect(text).toContain(`status 403 from ${elsewhere.host}`);
    expect(text).toContain('code:     registry/redirect');
    expect(`${String(text)}${fake.told.join()}`).not.toMatch(/0123456789abcdef|a long password/);
  });

  test('a redirect to plain http is not followed', async () => {
    const { registry, image, repo, misbehave } = await stage();
    misbehave(answer(on('GET', /\/blobs\//), 307, { location: 'http://example.com/blob?sig=secret0123' }));
    const failing = registry.blob(repo, image.blobs[2] as Descriptor).toArray();
    await expect(failing).rejects.toMatchObject({
      code: 'registry/redirect',
      facts: { found: 'http://example.com/blob?sig=…' },
    });
  });

  test('redirects in circles end', async () => {
    const { server, registry, image, repo, misbehave } = await stage();
    misbehave(answer(on('GET', /\/blobs\//), 302, { location: '/v2/team/app/blobs/again' }));
    const failing = registry.blob(repo, image.blobs[2] as Descriptor).toArray();
    await expect(failing).rejects.toMatchObject({ code: 'registry/redirect' });
    expect(server.log).toHaveLength(6);
  });
});
