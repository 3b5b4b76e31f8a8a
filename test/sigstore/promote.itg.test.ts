import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/core/index.ts';
import { promote, verifyTree } from '../../src/flows/trust/index.ts';
import { startMemoryRegistry, type Fault, type MemoryRegistryOptions } from '../support/registries/memory-registry.ts';
import { labelledImage } from '../support/sigstore/image.ts';
import { stage, useKit, verifierFor, type Stage } from './stage.ts';

const kit = useKit();
const tag = 'stable';

async function proven(options: Parameters<typeof stage>[1] = {}): Promise<Stage> {
  const here = await stage(kit(), options);
  await here.sign();
  await here.attest();
  return here;
}

/** Promotes within the registry, from team/runner to release/runner. */
function promoteHere(here: Stage, verifier = here.signing.verifier) {
  const destination = { registry: here.repo.registry, repository: 'release/runner', tag };
  return promote({ registry: here.registry, verifier, source: here.ref, destination });
}

const tagAt = (here: Stage, repository = 'release/runner') =>
  here.registry.tagDigest({ registry: here.repo.registry, repository, tag });

/** An older image that the tag names before. */
async function older(here: Stage): Promise<ReturnType<typeof labelledImage>> {
  const image = labelledImage({}, 'older');
  const repo = { registry: here.repo.registry, repository: 'release/runner' };
  await here.registry.push(repo, image.root, image.source);
  await here.registry.moveTag({ ...repo, tag }, image.root.digest);
  return image;
}

describe('promoting', () => {
  test.each(['api', 'quay', 'none'] as const)(
    'brings the tree with its proofs and moves the tag (referrers: %s)',
    async (referrers) => {
      const here = await proven({ referrers });
      const before = await older(here);
      const done = await promoteHere(here);
      expect(done.move).toEqual({
        tag,
        before: before.root.digest,
        after: here.image.root.digest,
        moved: true,
      });
      expect(done.copied.referrers).toEqual({ copied: 8, present: 0 });
      const there = { registry: here.repo.registry, repository: 'release/runner', tag };
      expect((await verifyTree(here.registry, there, here.signing.verifier)).ok).toBe(true);
    },
  );

  test('works between registries', async () => {
    const here = await proven();
    const other = await startMemoryRegistry({ referrers: 'none' });
    try {
      const destination = { registry: other.host, repository: 'release/runner', tag };
      const { registry, signing, ref } = here;
      const done = await promote({ registry, verifier: signing.verifier, source: ref, destination });
      expect(done.destination.ok).toBe(true);
      expect(await registry.tagDigest(destination)).toBe(here.image.root.digest);
    } finally {
      await other.close();
    }
  });

  test('a second run changes nothing', async () => {
    const here = await proven();
    await promoteHere(here);
    const again = await promoteHere(here);
    expect(again.move.moved).toBe(false);
    expect(again.copied.referrers).toEqual({ copied: 0, present: 8 });
    expect(again.copied.blobs.uploaded + again.copied.blobs.mounted).toBe(0);
  });

  test('what is not proven moves no tag and copies nothing', async () => {
    const here = await stage(kit());
    await here.sign();
    const before = await older(here);
    await expect(promoteHere(here)).rejects.toMatchObject({ code: 'trust/unverified', exit: 1 });
    expect(await tagAt(here)).toBe(before.root.digest);
    expect(here.memory?.store.find('release/runner', here.image.root.digest)).toBeUndefined();
  });

  test('an identity that the policy does not name moves no tag', async () => {
    const here = await proven();
    const other = await verifierFor(
      kit(),
      {},
      { identities: ['https://github.com/o/r/.github/workflows/release.yml@refs/tags/v1'] },
    );
    await expect(promoteHere(here, other)).rejects.toMatchObject({ code: 'trust/unverified' });
    expect(await tagAt(here)).toBeUndefined();
  });

  test('a destination without a tag, or with a digest, is refused', async () => {
    const here = await proven();
    const { registry, signing, ref } = here;
    for (const destination of [here.repo, { ...here.repo, tag, digest: digestOf('x') }])
      await expect(promote({ registry, verifier: signing.verifier, source: ref, destination })).rejects.toMatchObject({
        code: 'trust/destination',
      });
  });

  test('a tag that somebody moves meanwhile is left to them, and both digests are told', async () => {
    const here = await proven();
    await older(here);
    const theirs = labelledImage({}, 'theirs');
    const repo = { registry: here.repo.registry, repository: 'release/runner' };
    await here.registry.push(repo, theirs.root, theirs.source);
    let moved = false;
    here.misbehave((request) => {
      // As soon as something is copied, somebody else publishes.
      if (!moved && request.method === 'PUT') {
        moved = true;
        here.memory?.store.repository('release/runner').tags.set(tag, theirs.root.digest);
      }
      return false;
    });
    await expect(promoteHere(here)).rejects.toMatchObject({
      code: 'registry/tag-moved',
      facts: { found: theirs.root.digest },
    });
    expect(await tagAt(here)).toBe(theirs.root.digest);
  });
});

describe('a promotion that is cut off', () => {
  /** Refuses everything from the nth write on. */
  function cutAfter(writes: number): Fault {
    let seen = 0;
    return (request, response) => {
      if (request.method === 'GET' || request.method === 'HEAD' || (seen += 1) <= writes) return false;
      request.resume();
      response.writeHead(403).end();
      return true;
    };
  }

  test.each([0, 3, 10, 24])('after %i writes the old tag stands, and a second run ends well', async (writes) => {
    const here = await proven();
    const before = await older(here);
    here.misbehave(cutAfter(writes));
    await expect(promoteHere(here)).rejects.toMatchObject({ exit: 3 });
    here.misbehave(() => false);
    expect(await tagAt(here)).toBe(before.root.digest);
    const done = await promoteHere(here);
    expect(done.destination.ok).toBe(true);
    expect(await tagAt(here)).toBe(here.image.root.digest);
  });

  test('a destination that loses the proofs keeps its old tag', async () => {
    const here = await proven();
    const options: MemoryRegistryOptions = {
      referrers: 'api',
      fault: (request, response, path) => {
        if (request.method !== 'GET' || !/\/referrers\//.test(path)) return false;
        response.writeHead(200, { 'content-type': 'application/vnd.oci.image.index.v1+json' });
        response.end(JSON.stringify({ schemaVersion: 2, manifests: [] }));
        return true;
      },
    };
    const other = await startMemoryRegistry(options);
    try {
      const destination = { registry: other.host, repository: 'release/runner', tag };
      const { registry, signing, ref } = here;
      await expect(promote({ registry, verifier: signing.verifier, source: ref, destination })).rejects.toMatchObject({
        code: 'trust/unverified',
      });
      expect(await registry.tagDigest(destination)).toBeUndefined();
    } finally {
      await other.close();
    }
  });
});
