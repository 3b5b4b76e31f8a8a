import { afterEach } from 'vitest';
import { createRegistry, type Registry, type RegistryOptions } from '../../src/registry/index.ts';
import { fakeHost, type FakeHost } from '../support/fake-host.ts';
import { on } from '../support/registries/faults.ts';
import { makeImage, type TestImage } from '../support/registries/image.ts';
import { startMemoryRegistry, type Fault, type MemoryRegistry } from '../support/registries/memory-registry.ts';

/** What a test opened and has to close, in any order. */
export const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

export const manifests = on('GET', /\/manifests\//);
export const heads = on('HEAD', /\/manifests\//);

export interface Stage {
  readonly server: MemoryRegistry;
  readonly fake: FakeHost;
  readonly registry: Registry;
  readonly image: TestImage;
  readonly repo: { readonly registry: string; readonly repository: string };
  /** From now on the registry misbehaves. */
  readonly misbehave: (fault: Fault) => void;
}

/** stage holds a pushed image under team/app:v1, in a registry that behaves until it is told otherwise. */
export async function stage(
  options: Parameters<typeof startMemoryRegistry>[0] = {},
  client: RegistryOptions = {},
): Promise<Stage> {
  let fault: Fault = () => false;
  const server = await startMemoryRegistry({ ...options, fault: (...given) => fault(...given) });
  closers.push(() => server.close());
  const fake = fakeHost();
  const registry = createRegistry(fake, client);
  const image = makeImage('fault', 2_500_000);
  const repo = { registry: server.host, repository: 'team/app' };
  await registry.push(repo, image.root, image.source);
  await registry.moveTag({ ...repo, tag: 'v1' }, image.root.digest);
  server.log.length = 0;
  server.requests.length = 0;
  fake.told.length = 0;
  return { server, fake, registry, image, repo, misbehave: (given) => void (fault = given) };
}
