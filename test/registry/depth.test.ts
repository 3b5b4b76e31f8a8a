import { expect, test } from 'vitest';
import { mediaTypes, type Descriptor, type Digest } from '../../src/core/index.ts';
import { readPart } from '../../src/registry/push-tree.ts';
import { codeOf, describeJson, manifestWith, repo, scripted, type Reply } from './scripted.ts';

const to = { registry: 'quay.example', repository: 'released/app' };

/** Copies an image with a proof, a proof of that, and so on; the other repository has all of them. */
async function copied(proofs: number): Promise<readonly number[]> {
  const chain = [manifestWith()];
  for (let more = 0; more < proofs; more += 1) chain.push(manifestWith({ subject: chain[more]?.descriptor }));
  const at = (digest: string): number => chain.findIndex(({ descriptor }) => descriptor.digest === digest);
  const { registry } = scripted(({ method, url }): Reply => {
    const [, kind, digest = ''] = /\/(manifests|referrers)\/(.+)$/.exec(url.pathname) ?? [];
    const found = chain[at(digest)];
    if (kind === 'referrers')
      return {
        body: JSON.stringify({ manifests: chain.slice(at(digest) + 1, at(digest) + 2).map((one) => one.descriptor) }),
      };
    return found === undefined ? { status: 404 } : { body: method === 'HEAD' ? '' : found.bytes };
  });
  const { referrers, rejected } = await registry.copy(repo, to, chain[0]?.descriptor.digest as Digest, {
    legacyTags: false,
  });
  return [referrers.copied + referrers.present, rejected.length];
}

test.each([
  [4, 4, 0],
  [5, 4, 1],
])('of proofs of proofs, %s deep, %s are copied and %s left behind', async (proofs, taken, left) => {
  expect(await copied(proofs)).toEqual([taken, left]);
});

/** Pushes a manifest inside so many indexes; the registry has nothing but the blobs. */
async function pushed(indexes: number): Promise<string> {
  const parts = [manifestWith()];
  for (let more = 0; more < indexes; more += 1)
    parts.push(
      describeJson(
        { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [parts[more]?.descriptor] },
        mediaTypes.index,
      ),
    );
  const { registry } = scripted(({ method, url }) => ({
    status: method === 'PUT' ? 201 : url.pathname.includes('/blobs/') ? 200 : 404,
  }));
  const source = {
    open: () => Promise.reject(new Error('the registry has the blobs')),
    manifest: async ({ digest }: Descriptor) =>
      parts.find(({ descriptor }) => descriptor.digest === digest)?.bytes ?? Buffer.alloc(0),
  };
  return await codeOf(registry.push(repo, parts.at(-1)?.descriptor as Descriptor, source));
}

test.each([
  [3, 'fine'],
  [4, 'registry/source'],
])('a manifest inside %s indexes is pushed: %s', async (indexes, outcome) => {
  expect(await pushed(indexes)).toBe(outcome);
});

const { bytes, descriptor } = manifestWith();
test.each([
  ['as it is described', descriptor, 'fine'],
  [
    'of another digest',
    { ...descriptor, digest: manifestWith({ annotations: {} }).descriptor.digest },
    'registry/source',
  ],
  ['of another size', { ...descriptor, size: descriptor.size + 1 }, 'registry/source'],
])('a manifest of a layout %s: %s', async (_name, given, outcome) => {
  const source = { open: () => Promise.reject(new Error('none')), manifest: async () => bytes };
  expect(await codeOf(readPart(source, given))).toBe(outcome);
});
