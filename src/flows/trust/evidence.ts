import type { Digest } from '../../core/index.ts';
import type { Referrer, Registry } from '../../registry/index.ts';
import {
  isBundleType,
  maxBundleBytes,
  refuse,
  type BundleVerifier,
  type Refused,
  type Verified,
} from '../../sigstore/index.ts';
import { readSmall } from '../blob.ts';
import { readLegacy } from './legacy-read.ts';
import type { Tree, TreeNode } from './tree.ts';

/** VerifiedAttestation is one thing attached to a node, and what became of it. */
export interface VerifiedAttestation {
  /** Digest of the referrer, or the legacy tag it was found under. */
  readonly source: string;
  readonly result: Verified | Refused;
  /** The bundle itself, where it is one. */
  readonly bundle?: Buffer | undefined;
}

async function openBundle(
  registry: Registry,
  tree: Tree,
  subject: Digest,
  { descriptor, fetched }: Referrer,
  verifier: BundleVerifier,
): Promise<VerifiedAttestation | undefined> {
  const layer = fetched.node.blobs.find(({ mediaType }) => isBundleType(mediaType));
  if (layer === undefined) {
    const claims = isBundleType(descriptor.artifactType ?? '');
    if (!claims) return undefined;
    return { source: descriptor.digest, result: refuse('malformed-bundle', 'a bundle referrer without a bundle') };
  }
  if (layer.size > maxBundleBytes)
    return { source: descriptor.digest, result: refuse('too-large', `a bundle of ${layer.size} bytes`) };
  const bundle = await readSmall(registry, tree.repo, layer, maxBundleBytes);
  return { source: descriptor.digest, bundle, result: await verifier.bundle(bundle, subject) };
}

/**
 * gatherEvidence opens everything that is attached to a node and verifies it. What is no bundle (a
 * note, another tool's scan) is passed over; what claims to be one and does not hold is refused by name.
 */
export async function gatherEvidence(
  registry: Registry,
  tree: Tree,
  node: TreeNode,
  verifier: BundleVerifier,
): Promise<VerifiedAttestation[]> {
  const { digest } = node.descriptor;
  const { referrers, rejected } = await registry.referrers(tree.repo, digest);
  const bundles = await Promise.all(referrers.map((found) => openBundle(registry, tree, digest, found, verifier)));
  const lost: VerifiedAttestation[] = rejected.map(({ descriptor, reason, detail }) => ({
    source: descriptor.digest,
    result: refuse(reason, detail),
  }));
  const legacy = verifier.policy.legacy ? await readLegacy(registry, tree, digest, verifier) : [];
  return [...bundles.filter((found) => found !== undefined), ...lost, ...legacy];
}
