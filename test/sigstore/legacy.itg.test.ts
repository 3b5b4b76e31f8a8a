import { expect, test } from 'vitest';
import { attestTree, signTree, verifyTree } from '../../src/flows/trust/index.ts';
import { provenance, sbomFor, stage, useKit, verifierFor } from './stage.ts';

const kit = useKit();

test('cosign 2’s tags are written once, carry all proofs, and a second run adds nothing', async () => {
  const here = await stage(kit());
  const sboms = new Map([here.image.amd64, here.image.arm64].map(({ digest }) => [digest, sbomFor(digest)]));
  const attestable = { provenance, sboms };
  const first = await signTree(here.signing, here.ref, { legacy: true });
  const attested = await attestTree(here.signing, here.ref, attestable, { legacy: true });
  expect([...first.legacy, ...attested.legacy].map(({ how }) => how)).toEqual(
    Array.from({ length: 6 }, () => 'written'),
  );
  const logged = kit().counts.rekor;
  const again = await signTree(here.signing, here.ref, { legacy: true });
  const attestedAgain = await attestTree(here.signing, here.ref, attestable, { legacy: true });
  expect([...again.legacy, ...attestedAgain.legacy].map(({ how }) => how)).toEqual(
    Array.from({ length: 6 }, () => 'present'),
  );
  expect(kit().counts.rekor).toBe(logged);
  // Four runs over three nodes: a busy machine takes its time.
}, 60_000);

test('a signature under the tag of another image is refused', async () => {
  const here = await stage(kit());
  await signTree(here.signing, here.ref, { legacy: true });
  const { root, amd64 } = here.image;
  const tags = here.memory?.store.repository(here.repo.repository).tags;
  const tagOf = (digest: string) => `${digest.replace(':', '-')}.sig`;
  tags?.set(tagOf(root.digest), tags.get(tagOf(amd64.digest)) ?? '');
  for (const [digest, { bytes }] of here.memory?.store.repository(here.repo.repository).manifests ?? [])
    if (bytes.includes('"subject"')) here.memory?.store.repository(here.repo.repository).manifests.delete(digest);
  const verifier = await verifierFor(kit(), { require: ['signature'], legacy: true });
  const report = await verifyTree(here.registry, here.ref, verifier);
  expect(report.nodes.map(({ name, missing, refused }) => [name, missing, refused.map(({ code }) => code)])).toEqual([
    ['index', ['signature'], ['other-subject']],
    ['linux/amd64', [], []],
    ['linux/arm64', [], []],
  ]);
});
