import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf, type Descriptor } from '../../src/core/index.ts';
import { createRegistry } from '../../src/registry/index.ts';
import { fakeHost } from '../support/fake-host.ts';
import { startCuttingProxy, type CuttingProxy } from '../support/registries/cutting-proxy.ts';
import { startDockerRegistry, type DockerRegistry } from '../support/registries/docker-registry.ts';
import { makeImage } from '../support/registries/image.ts';

describe('docker-registry behind a network that breaks', () => {
  let server: DockerRegistry;
  let proxy: CuttingProxy;
  beforeAll(async () => {
    server = await startDockerRegistry();
    proxy = await startCuttingProxy(server.host);
  });
  afterAll(async () => {
    await proxy.close();
    await server.close();
  });

  test('an upload that was cut in the middle arrives whole', async () => {
    const fake = fakeHost();
    const repo = { registry: proxy.host, repository: 'team/cut' };
    const image = makeImage('cut', 20_000_000);
    const blob = image.blobs[2] as Descriptor;
    proxy.cutNext(8_000_000, 'up');
    expect(await createRegistry(fake).upload(repo, image.source, blob)).toBe('uploaded');
    expect(proxy.cuts()).toBe(1);
    expect(fake.told.join('\n')).toContain('broke off');
    // Read past the proxy, so that what is compared is what the registry keeps.
    const bytes = await createRegistry(fakeHost())
      .blob({ ...repo, registry: server.host }, blob)
      .toArray();
    expect(digestOf(Buffer.concat(bytes as Buffer[]))).toBe(blob.digest);
  });

  test('an upload in pieces that was cut arrives whole', async () => {
    const repo = { registry: proxy.host, repository: 'team/pieces' };
    const image = makeImage('pieces', 20_000_000);
    const before = proxy.cuts();
    proxy.cutNext(3_000_000, 'up');
    const report = await createRegistry(fakeHost()).push(repo, image.root, image.source, { chunk: 5_000_000, jobs: 1 });
    expect(proxy.cuts()).toBe(before + 1);
    expect(report.blobs.uploaded).toBe(5);
  });

  test('a download that was cut goes on with a range', async () => {
    const repo = { registry: proxy.host, repository: 'team/down' };
    const image = makeImage('down', 20_000_000);
    const blob = image.blobs[2] as Descriptor;
    const fake = fakeHost();
    const registry = createRegistry(fake);
    await registry.push(repo, image.root, image.source);
    const before = proxy.cuts();
    proxy.cutNext(8_000_000, 'down');
    const bytes = Buffer.concat((await registry.blob(repo, blob).toArray()) as Buffer[]);
    expect(proxy.cuts()).toBe(before + 1);
    expect(digestOf(bytes)).toBe(blob.digest);
    expect(fake.told.join('\n')).toMatch(/broken off after \d+ of 20000000 bytes; going on from there/);
  });
});
