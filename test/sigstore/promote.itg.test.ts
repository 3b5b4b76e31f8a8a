import { describe, expect, test } from 'vitest';
import { digestOf, labelNames, mediaTypes, parseManifest, type Descriptor } from '../../src/core/index.ts';
import { promote, signTree, verifyTree, type PromoteOptions } from '../../src/flows/trust/index.ts';
import { emptyDescriptor } from '../../src/sigstore/index.ts';
import { startMemoryRegistry, type Fault, type MemoryRegistryOptions } from '../support/registries/memory-registry.ts';
import { labelledImage } from '../support/sigstore/image.ts';
import { attachRaw } from './attach-raw.ts';
import { stage, useKit, verifierFor, workflow, type Stage } from './stage.ts';

const kit = useKit();
const tag = 'stable';

const created = (day: string): Record<string, string> => ({ [labelNames.created]: `2026-01-${day}T00:00:00Z` });

async function proven(options: Parameters<typeof stage>[1] = {}): Promise<Stage> {
  const here = await stage(kit(), { labels: created('20'), ...options });
  await here.sign();
  await here.attest();
  return here;
}

/** Promotes within the registry, from team/runner to release/runner. */
function promoteHere(here: Stage, verifier = here.signing.verifier, more: Partial<PromoteOptions> = {}) {
  const destination = { registry: here.repo.registry, repository: 'release/runner', tag };
  return promote({ registry: here.registry, verifier, source: here.ref, destination, ...more });
}

const tagAt = (here: Stage, repository = 'release/runner') =>
  here.registry.tagDigest({ registry: here.repo.registry, repository, tag });

/** An older image that the tag names before. */
async function older(here: Stage, labels = created('10')): Promise<ReturnType<typeof labelledImage>> {
  const image = labelledImage(labels, 'older');
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

describe('the age of what a tag names', () => {
  test.each<[string, Record<string, string>, string]>([
    ['newer', created('21'), 'trust/older'],
    ['of unknown age', {}, 'trust/age-unknown'],
    ['of the epoch', { [labelNames.created]: '1970-01-01T00:00:00Z' }, 'trust/age-unknown'],
  ])('%s: the tag stays, but for --allow-older', async (_name, labels, code) => {
    const here = await proven();
    const before = await older(here, labels);
    await expect(promoteHere(here)).rejects.toMatchObject({ code, exit: 1 });
    expect(await tagAt(here)).toBe(before.root.digest);
    expect(here.memory?.store.find('release/runner', here.image.root.digest)).toBeUndefined();
    expect((await promoteHere(here, here.signing.verifier, { allowOlder: true })).move.moved).toBe(true);
  });

  test('the same day is not older, and what the tag names may be gone', async () => {
    const here = await proven();
    await older(here, created('20'));
    expect((await promoteHere(here)).move.moved).toBe(true);
    const there = await proven();
    const { root } = await older(there);
    there.memory?.store.repository('release/runner').manifests.delete(root.digest);
    expect((await promoteHere(there)).move.moved).toBe(true);
  });
});

describe('what is attached at the source', () => {
  const note = (here: Stage, subject: Descriptor): Buffer =>
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.manifest,
        artifactType: 'application/vnd.example.note',
        config: emptyDescriptor,
        layers: [],
        subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
        annotations: { here: here.repo.repository },
      }),
    );
  const destination = (here: Stage) => ({ registry: here.repo.registry, repository: 'release/runner' });

  /** Notes that refer to notes, six deep. */
  async function noted(here: Stage): Promise<Descriptor[]> {
    const found: Descriptor[] = [];
    let subject = here.image.root;
    for (let depth = 0; depth < 6; depth += 1) {
      const { descriptor } = await here.registry.attach(here.repo, note(here, subject));
      found.push(descriptor);
      subject = descriptor;
    }
    return found;
  }

  test('is copied when the policy accepts it; the rest is listed', async () => {
    const here = await proven();
    const [first] = await noted(here);
    const theirs = await here.signingAs({ job_workflow_ref: 'o/evil/.github/workflows/x.yml@refs/heads/main' });
    await signTree(theirs, here.ref);
    const done = await promoteHere(here);
    expect(done.copied.referrers).toEqual({ copied: 8, present: 0 });
    expect(done.left.map(({ node, why }) => `${node} ${why}`).sort()).toEqual([
      'index other-identity',
      'index unrelated',
      'linux/amd64 other-identity',
      'linux/arm64 other-identity',
    ]);
    const there = await here.registry.referrers(destination(here), here.image.root.digest);
    expect(there.referrers.map(({ descriptor }) => descriptor.digest)).not.toContain(first?.digest);
    expect(there.referrers).toHaveLength(2);
  });

  test('is all copied by choice, as deep as four; a referrer without its blob stays behind', async () => {
    const here = await proven();
    const notes = await noted(here);
    const lost = Buffer.from('lost');
    await attachRaw(here, here.image.root, lost);
    here.memory?.store.repository(here.repo.repository).blobs.delete(digestOf(lost));
    const done = await promoteHere(here, here.signing.verifier, { allReferrers: true });
    expect(done.copied.referrers.copied).toBe(8 + 4);
    expect(done.copied.rejected.map(({ reason }) => reason).sort()).toEqual(['gone', 'too-deep']);
    expect(done.left.map(({ why }) => why).sort()).toEqual(['gone', 'too-deep']);
    for (const [at, { digest }] of notes.entries())
      expect(here.memory?.store.find('release/runner', digest) !== undefined).toBe(at < 4);
  });

  test('under cosign 2’s tag never replaces what another signer left at the destination', async () => {
    const here = await proven();
    await signTree(here.signing, here.ref, { legacy: true });
    const theirs = await here.signingAs({ job_workflow_ref: 'o/evil/.github/workflows/x.yml@refs/heads/main' });
    const sig = `${here.image.root.digest.replace(':', '-')}.sig`;
    // At the destination lies another signer's signature; at the source, both.
    await here.registry.push(destination(here), here.image.root, here.image.source);
    await signTree(theirs, { ...destination(here), digest: here.image.root.digest }, { legacy: true });
    await signTree(theirs, here.ref, { legacy: true });
    const before = parseManifest((await here.registry.manifest({ ...destination(here), tag: sig })).bytes).layers;
    const reading = await verifierFor(kit(), { legacy: true });
    for (const more of [{}, { allReferrers: true }] as const) {
      const done = await promoteHere(here, reading, more);
      expect(done.destination.ok).toBe(true);
      const after = parseManifest((await here.registry.manifest({ ...destination(here), tag: sig })).bytes).layers;
      expect(after).toHaveLength(2);
      expect(after[0]).toEqual(before[0]);
      const kept = Object.hasOwn(more, 'allReferrers') ? [sig] : [];
      expect(done.copied.keptTags.filter((tag) => tag === sig)).toEqual(kept);
    }
    const bare = await verifierFor(kit(), {}, { identities: [workflow] });
    expect((await promoteHere(here, bare)).legacyTags).toEqual([]);
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
