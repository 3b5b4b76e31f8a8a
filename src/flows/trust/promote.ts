import { digestOf, formatImageRef, isDigest, type Digest, type ImageRef } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import type { CopyReport, Registry, TagMove } from '../../registry/index.ts';
import type { BundleVerifier, RefusalCode } from '../../sigstore/index.ts';
import { demandNotOlder } from './age.ts';
import { promoteLegacy } from './legacy-promote.ts';
import { readTree } from './tree.ts';
import { unverified, verifyRead, verifyTree, type TreeReport } from './verify-tree.ts';

export interface Promotion {
  readonly digest: Digest;
  readonly from: string;
  readonly to: string;
  readonly source: TreeReport;
  readonly copied: CopyReport;
  readonly destination: TreeReport;
  /** cosign 2's tags at the destination that were written, when the policy reads them. */
  readonly legacyTags: readonly string[];
  /** What is attached at the source and was not copied. */
  readonly left: readonly Left[];
  readonly move: TagMove;
}

/** Left is one thing that stays behind: the policy does not accept it, or it proves nothing. */
export interface Left {
  /** The node that it is attached to, where that is known. */
  readonly node?: string | undefined;
  readonly source: string;
  readonly why: RefusalCode | 'unrelated';
}

export interface PromoteOptions {
  readonly registry: Registry;
  readonly verifier: BundleVerifier;
  readonly source: ImageRef;
  /** With a tag, without a digest. */
  readonly destination: ImageRef;
  /** Copies everything that is attached, no matter by whom. */
  readonly allReferrers?: boolean | undefined;
  /** Also moves a tag that names something newer. */
  readonly allowOlder?: boolean | undefined;
}

/** The same bytes about the same digest hold or do not hold wherever they lie: they are read twice, worked through once. */
function verifiedOnce(verifier: BundleVerifier): BundleVerifier {
  const known = new Map<string, ReturnType<BundleVerifier['bundle']>>();
  return {
    ...verifier,
    bundle(bytes, subject) {
      const key = `${digestOf(bytes)} ${subject}`;
      const verifying = known.get(key) ?? verifier.bundle(bytes, subject);
      known.set(key, verifying);
      return verifying;
    },
  };
}

/** What the policy accepted, by node. */
function acceptedOf({ nodes }: TreeReport): ReadonlyMap<Digest, readonly Digest[]> {
  return new Map(nodes.map(({ digest, proofs }) => [digest, proofs.map(({ source }) => source).filter(isDigest)]));
}

const leftOf = ({ nodes }: TreeReport): Left[] =>
  nodes.flatMap(({ name: node, refused, unrelated }) => [
    ...refused.map(({ source, code }) => ({ node, source, why: code })),
    ...unrelated.map((source) => ({ node, source, why: 'unrelated' as const })),
  ]);

/**
 * promote verifies the source, copies the tree with what the policy accepted of what is attached to it, verifies it again
 * where it now lies, and only then moves the tag. Stopped at any point the old tag stands, and a second run continues.
 * Throws `trust/unverified`, `registry/tag-moved` with both digests, `trust/older`, `trust/age-unknown`.
 */
export async function promote({ registry, source, destination, ...given }: PromoteOptions): Promise<Promotion> {
  const verifier = verifiedOnce(given.verifier);
  const { registry: host, repository, tag } = destination;
  if (tag === undefined || destination.digest !== undefined)
    throw new AppError('trust/destination', 'usage', 'the destination names no tag to move', {
      expected: 'host/repository:tag',
      found: formatImageRef(destination),
    });
  const to = { registry: host, repository };
  // Read first: another publisher that moves the tag while this runs has not seen what is promoted here.
  const before = await registry.tagDigest({ ...to, tag });
  const tree = await readTree(registry, source);
  const first = await verifyRead(registry, tree, verifier);
  if (!first.ok) throw unverified(first);
  if (before !== undefined && given.allowOlder !== true) await demandNotOlder(registry, { ...to, tag }, before, tree);
  const all = given.allReferrers === true;
  const referrers = all ? 'all' : acceptedOf(first);
  const copied = await registry.copy(tree.repo, to, first.digest, { referrers, legacyTags: all });
  const legacyTags = verifier.policy.legacy ? await promoteLegacy(registry, tree, to, verifier) : [];
  const second = await verifyTree(registry, { ...to, digest: first.digest }, verifier);
  if (!second.ok) throw unverified(second);
  const move = await registry.moveTag({ ...to, tag }, first.digest, { expectOld: before ?? null });
  return {
    digest: first.digest,
    from: first.reference,
    to: formatImageRef({ ...to, tag }),
    source: first,
    copied,
    destination: second,
    legacyTags,
    left: all
      ? copied.rejected.map(({ descriptor, reason }) => ({ source: descriptor.digest, why: reason }))
      : leftOf(first),
    move,
  };
}
