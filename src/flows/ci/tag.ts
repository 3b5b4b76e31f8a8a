import {
  formatImageRef,
  labelNames,
  parseImageRef,
  parseIndex,
  type Digest,
  type ImageRef,
  type Plan,
} from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import { loadEvidence, requirePassed } from '../../evidence/index.ts';
import type { Host } from '../../host/index.ts';
import type { Registry, TagMove } from '../../registry/index.ts';
import type { BundleVerifier } from '../../sigstore/index.ts';
import { inputTag } from '../build/index.ts';
import { moveTags } from '../publish/index.ts';
import { unverified, verifyTree } from '../trust/index.ts';
import { readFrozen } from './frozen.ts';

export interface TagOptions {
  readonly plan: Plan;
  readonly tags: readonly string[];
  /** The frozen plans, for variants that were not built. */
  readonly frozen: string;
  /** Evidence of the gate; absent for a variant whose inputs were published before. */
  readonly evidence?: string | undefined;
  readonly registry: Registry;
  /** Whose proofs count for images that last; an image that expires is not signed. */
  readonly verifier?: BundleVerifier | undefined;
}

/** demandProof: a tag that lasts names nothing that is not signed and attested on every node. */
async function demandProof(ref: ImageRef & { readonly digest: Digest }, options: TagOptions): Promise<void> {
  const { registry, verifier } = options;
  if (verifier === undefined)
    throw new AppError('ci/no-policy', 'usage', 'no policy: tags that last move to proven images only', {
      expected: '--policy FILE, or --identity with --repository, --ref and --trigger',
    });
  const report = await verifyTree(registry, ref, verifier);
  if (!report.ok) throw unverified(report);
}

async function digestToTag(host: Host, { plan, frozen, evidence: file }: TagOptions): Promise<Digest> {
  if (file !== undefined) {
    const filed = await loadEvidence(host, file);
    requirePassed(filed);
    if (filed.evidence.variant === plan.variant) return filed.evidence.digest;
    throw new AppError('ci/not-gated', 'findings', 'the evidence is about another variant', {
      expected: plan.variant,
      found: filed.evidence.variant,
      where: { file },
    });
  }
  const { unchanged } = await readFrozen(host, frozen);
  const found = unchanged.find(({ variant }) => variant === plan.variant);
  const digest = found === undefined ? undefined : parseImageRef(found.reference).digest;
  if (digest !== undefined) return digest;
  throw new AppError('ci/nothing-to-tag', 'usage', `${plan.variant} was neither built nor published before`);
}

/**
 * tagVariant verifies an image that lasts, then moves the tags, and last of all the one by which these inputs are
 * found again: when that one is there, the others were moved. An image that expires never gets it.
 */
export async function tagVariant(
  host: Host,
  options: TagOptions,
): Promise<{ readonly reference: string; readonly moves: readonly TagMove[] }> {
  const { plan, registry } = options;
  const { registry: at, repository } = parseImageRef(plan.repository);
  const digest = await digestToTag(host, options);
  const ref = { registry: at, repository, digest };
  const { annotations } = parseIndex((await registry.manifest(ref)).bytes);
  if (annotations?.[labelNames.inputDigest] !== plan.inputDigest)
    throw new AppError('ci/not-planned', 'findings', 'the image in the registry was made from other inputs', {
      expected: plan.inputDigest,
      found: annotations?.[labelNames.inputDigest] ?? 'no input digest',
    });
  const durable = annotations[labelNames.expires] === undefined ? [inputTag(plan)] : [];
  if (durable.length > 0) await demandProof(ref, options);
  const moves = await moveTags(registry, { registry: at, repository }, ref, [...options.tags, ...durable]);
  return { reference: formatImageRef(ref), moves };
}
