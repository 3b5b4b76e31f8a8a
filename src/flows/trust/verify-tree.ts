import { formatImageRef, type Digest, type ImageRef } from '../../core/index.ts';
import { AppError, visible } from '../../errors/index.ts';
import type { Registry } from '../../registry/index.ts';
import type { Attestation, BundleVerifier, RefusalCode, TrustPolicy } from '../../sigstore/index.ts';
import { mapLimited } from '../../core/limit.ts';
import { gatherEvidence, type VerifiedAttestation } from './evidence.ts';
import { missingOf, type Lacking } from './further-signers.ts';
import { ReadingLimits } from './reading-limits.ts';
import { nameOf, readTree, type Tree, type TreeNode } from './tree.ts';

/** Proof is one attestation that holds. */
export interface Proof {
  readonly attestation: Attestation;
  /** The referrer's digest, or the legacy tag. */
  readonly source: string;
  /** Which of the policy's signers, where it names several: `signer`, or an approver's name. */
  readonly signer?: string | undefined;
  /** Who signed; absent for a key. */
  readonly identity?: string | undefined;
  readonly issuer?: string | undefined;
  readonly logIndex?: string | undefined;
}

export interface NodeReport {
  readonly name: string;
  readonly digest: Digest;
  readonly proofs: readonly Proof[];
  /** What the policy asks of this node and nothing attached proves. */
  readonly missing: readonly Lacking[];
  /** What claims to prove something and does not, each by name. */
  readonly refused: readonly { readonly source: string; readonly code: RefusalCode; readonly detail: string }[];
  /** Referrers that claim nothing of the kind: another tool's. */
  readonly unrelated: readonly string[];
}

export interface TreeReport {
  readonly reference: string;
  readonly digest: Digest;
  /** True only when no node lacks anything. */
  readonly ok: boolean;
  readonly nodes: readonly NodeReport[];
}

/** wantedOf: every node needs a signature and provenance; an index has no packages of its own to list. */
export function wantedOf(verifier: BundleVerifier, node: TreeNode, root: boolean): readonly Attestation[] {
  const { require, nodes } = verifier.policy;
  if (nodes === 'root' && !root) return [];
  return require.filter((attestation) => attestation !== 'sbom' || node.role === 'image');
}

function reportOf(
  policy: TrustPolicy,
  node: TreeNode,
  wanted: readonly Attestation[],
  attestations: readonly VerifiedAttestation[],
): NodeReport {
  const proofs = attestations.flatMap(({ source, result }): Proof[] => {
    if (result.$case !== 'verified') return [];
    const { attestation, identity, logIndex, signer } = result;
    return [{ attestation, source, signer, identity: identity?.name, issuer: identity?.issuer, logIndex }];
  });
  const refused = attestations.flatMap(({ source, result }) =>
    result.$case === 'refused' ? [{ source, code: result.code, detail: result.detail }] : [],
  );
  const missing = missingOf(policy, node.descriptor.digest, wanted, proofs);
  const unrelated = attestations.flatMap(({ source, result }) => (result.$case === 'unrelated' ? [source] : []));
  return { name: nameOf(node), digest: node.descriptor.digest, proofs, missing, refused, unrelated };
}

/** verifyNodes holds a tree that was read already against the verifier's policy. */
export async function verifyNodes(registry: Registry, tree: Tree, verifier: BundleVerifier): Promise<NodeReport[]> {
  const limits = new ReadingLimits();
  return await mapLimited(tree.nodes, 4, async (node) => {
    const wanted = wantedOf(verifier, node, node === tree.nodes[0]);
    return reportOf(verifier.policy, node, wanted, await gatherEvidence(registry, tree, node, verifier, limits));
  });
}

/**
 * verifyTree resolves a reference to a digest and demands what the policy asks of every node. A
 * bundle that does not hold is reported and never counts; a question that the registry could not
 * answer is thrown, since "could not tell" must not pass for either answer.
 */
export async function verifyTree(registry: Registry, ref: ImageRef, verifier: BundleVerifier): Promise<TreeReport> {
  return await verifyRead(registry, await readTree(registry, ref), verifier);
}

/** verifyRead is verifyTree for a tree that was read already. */
export async function verifyRead(registry: Registry, tree: Tree, verifier: BundleVerifier): Promise<TreeReport> {
  const nodes = await verifyNodes(registry, tree, verifier);
  const ok = nodes.length > 0 && nodes.every(({ missing }) => missing.length === 0);
  return { reference: formatImageRef({ ...tree.repo, digest: tree.digest }), digest: tree.digest, ok, nodes };
}

/** More of what is refused is counted: a user who may write to a repository may attach thousands. */
export const maxRefused = 20;

/** unverified is the error of a tree that lacks something: every node, and why what is there does not count. */
export function unverified({ reference, nodes }: TreeReport): AppError {
  const lines = nodes
    .filter(({ missing }) => missing.length > 0)
    .map(({ name, digest, missing, refused }) => {
      const more = refused.length > maxRefused ? [`and ${refused.length - maxRefused} more`] : [];
      const said = refused.slice(0, maxRefused).map(({ code, detail }) => `${code}: ${visible(detail)}`);
      const why = [...said, ...more].join('; ');
      return `${visible(name)} ${digest} lacks ${missing.join(', ')}${why === '' ? '' : ` (refused: ${why})`}`;
    });
  return new AppError('trust/unverified', 'findings', `${reference} is not proven`, {
    expected: 'a signature and provenance on every node and an SBOM on every image, as the policy asks',
    found: lines.join('\n            '),
    hint: 'do not use it; if it was published moments ago, the registry may not list the bundles yet',
  });
}
