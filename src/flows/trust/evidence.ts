import { mapLimited } from '../../core/limit.ts';
import type { Descriptor } from '../../core/index.ts';
import type { Referrer, Registry, RejectedReferrer } from '../../registry/index.ts';
import {
  isBundleType,
  maxBundleBytes,
  refuse,
  type BundleVerifier,
  type Refused,
  type Verified,
} from '../../sigstore/index.ts';
import { readLegacy } from './legacy-read.ts';
import { NodeBytes, ReadingLimits } from './reading-limits.ts';
import type { Tree, TreeNode } from './tree.ts';

/** VerifiedAttestation is one thing attached to a node, and what became of it. */
export interface VerifiedAttestation {
  /** Digest of the referrer, or the legacy tag it was found under. */
  readonly source: string;
  readonly result: Verified | Refused | Unrelated;
  /** Where the bundle lies, where it is one that holds. Kept itself, copies of a good one with blanks would add up. */
  readonly bundle?: Descriptor | undefined;
}

/** Unrelated is what is attached and no bundle: a note, another tool's scan. */
export interface Unrelated {
  readonly $case: 'unrelated';
}

/** A bundle's manifest has about 1 000 bytes. */
const maxReferrerBytes = 64 * 1024;
const atOnce = 8;

interface Candidate {
  readonly source: string;
  readonly layer: Descriptor;
}

function candidateOf(opened: Referrer | RejectedReferrer): Candidate | VerifiedAttestation {
  const source = opened.descriptor.digest;
  if ('reason' in opened) return { source, result: refuse(opened.reason, opened.detail) };
  const layer = opened.fetched.node.blobs.find(({ mediaType }) => isBundleType(mediaType));
  if (layer !== undefined) {
    const { mediaType, digest, size } = layer;
    return { source, layer: { mediaType, digest, size } };
  }
  if (!isBundleType(opened.descriptor.artifactType ?? '')) return { source, result: { $case: 'unrelated' } };
  return { source, result: refuse('malformed-bundle', 'a bundle referrer without a bundle') };
}

/** sharing groups by blob: the same bytes about the same node are read and verified once. The smallest come first. */
function sharing(candidates: readonly Candidate[]): Candidate[][] {
  const groups = new Map<string, Candidate[]>();
  for (const candidate of candidates) {
    const key = `${candidate.layer.digest} ${candidate.layer.size}`;
    groups.set(key, [...(groups.get(key) ?? []), candidate]);
  }
  return [...groups.values()].sort(([a], [b]) => (a?.layer.size ?? 0) - (b?.layer.size ?? 0));
}

/**
 * gatherEvidence opens everything that is attached to a node and verifies it. What claims to be a bundle and does not
 * hold is refused by name, and so is what cannot be read; only a registry that does not answer is thrown. Bytes, number
 * and time are bounded by `limits`.
 */
export async function gatherEvidence(
  registry: Registry,
  tree: Tree,
  node: TreeNode,
  verifier: BundleVerifier,
  limits = new ReadingLimits(),
): Promise<VerifiedAttestation[]> {
  const { digest } = node.descriptor;
  const { visited, unread, problem } = await registry.visitReferrers(tree.repo, digest, candidateOf, maxReferrerBytes);
  const bytes = new NodeBytes(registry, tree.repo);
  const examine = async (layer: Descriptor): Promise<Omit<VerifiedAttestation, 'source'>> => {
    const bundle = await bytes.read(layer, maxBundleBytes);
    if (!Buffer.isBuffer(bundle)) return { result: bundle };
    const result = await limits.verify(() => verifier.bundle(bundle, digest));
    return { result, bundle: result.$case === 'verified' ? layer : undefined };
  };
  const candidates = visited.filter((found) => 'layer' in found);
  const results = new Map<string, Omit<VerifiedAttestation, 'source'>>();
  await mapLimited(sharing(candidates), atOnce, async (group) => {
    const [first] = group;
    if (first === undefined) return;
    const examined = await limits.inTurn(first.layer, () => examine(first.layer));
    for (const { source } of group) results.set(source, examined);
  });
  const found = visited.map((one): VerifiedAttestation => {
    if (!('layer' in one)) return one;
    const examined = results.get(one.source) ?? { result: refuse('malformed-bundle', 'it was not examined') };
    return { source: one.source, ...examined };
  });
  if (unread !== undefined)
    found.push({ source: `${unread} more referrers`, result: refuse('too-many', `${unread} were not opened`) });
  if (problem !== undefined) found.push({ source: 'the list', result: refuse('unreadable-list', problem) });
  const legacy = verifier.policy.legacy ? await readLegacy(tree, digest, { registry, verifier, bytes, limits }) : [];
  return [...found, ...legacy];
}
