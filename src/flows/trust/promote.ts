import { digestOf, formatImageRef, type Digest, type ImageRef } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import type { CopyReport, Registry, TagMove } from '../../registry/index.ts';
import type { BundleVerifier } from '../../sigstore/index.ts';
import { unverified, verifyTree, type TreeReport } from './verify-tree.ts';

export interface Promotion {
  readonly digest: Digest;
  readonly from: string;
  readonly to: string;
  readonly source: TreeReport;
  readonly copied: CopyReport;
  readonly destination: TreeReport;
  readonly move: TagMove;
}

export interface PromoteOptions {
  readonly registry: Registry;
  readonly verifier: BundleVerifier;
  readonly source: ImageRef;
  /** With a tag, without a digest. */
  readonly destination: ImageRef;
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

/**
 * promote verifies the source, copies the whole tree with what is attached to it by digest, verifies
 * it again where it now lies, and only then moves the tag. Stopped at any point the old tag stands,
 * and a second run continues. Throws `trust/unverified`, `registry/tag-moved` with both digests.
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
  // Read first: whoever moves the tag while this runs has not seen what is promoted here.
  const before = await registry.tagDigest({ ...to, tag });
  const first = await verifyTree(registry, source, verifier);
  if (!first.ok) throw unverified(first);
  const from = { registry: source.registry, repository: source.repository };
  const copied = await registry.copy(from, to, first.digest, { legacyTags: verifier.policy.legacy });
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
    move,
  };
}
