import { expect, test } from 'vitest';
import { gatherEvidence } from '../../src/flows/trust/evidence.ts';
import { ReadingLimits } from '../../src/flows/trust/reading-limits.ts';
import { readTree } from '../../src/flows/trust/tree.ts';
import type { BundleVerifier } from '../../src/sigstore/index.ts';
import { attachRaw, bytesOf } from '../sigstore/attach-raw.ts';
import { stage, useKit, verifierFor } from '../sigstore/stage.ts';

const kit = useKit();

/** What became of three attached bundles, each of which takes so many milliseconds to verify. */
async function verdicts(each: number): Promise<string[]> {
  const here = await stage(kit());
  for (const at of [1, 2, 3]) await attachRaw(here, here.image.root, bytesOf({ at }));
  const tree = await readTree(here.registry, here.ref);
  const [node] = tree.nodes;
  if (node === undefined) throw new Error('no root');
  let now = 0;
  const verifier = await verifierFor(kit());
  const slow: BundleVerifier = {
    ...verifier,
    async bundle(bytes, subject) {
      now += each;
      return await verifier.bundle(bytes, subject);
    },
  };
  const found = await gatherEvidence(here.registry, tree, node, slow, new ReadingLimits(() => now));
  return found.map(({ result }) => (result.$case === 'refused' ? result.code : result.$case)).sort();
}

test('verifying for 30 s is allowed, and what is left after more is refused without a look at it', async () => {
  expect(await verdicts(15_000)).toEqual(['malformed-bundle', 'malformed-bundle', 'malformed-bundle']);
  expect(await verdicts(15_001)).toEqual(['malformed-bundle', 'malformed-bundle', 'too-slow']);
});
