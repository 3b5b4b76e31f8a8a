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
import type { Host } from '../../host/index.ts';
import type { Registry, TagMove } from '../../registry/index.ts';
import type { BundleVerifier } from '../../sigstore/index.ts';
import { inputTag } from '../build/index.ts';
import { publishLayout, type Published } from '../publish/index.ts';
import { unverified, verifyTree } from '../trust/index.ts';
import { childrenOf } from './evidence.ts';
import { readFrozen } from './frozen.ts';
import { readGateRecord } from './gate.ts';

export interface PublishGatedOptions {
  readonly plan: Plan;
  readonly layout: string;
  /** What `ci gate` wrote. */
  readonly gate: string;
  readonly registry: Registry;
}

/** publishGated pushes the index that passed the gate, by digest; tags are moved by another job, last. */
export async function publishGated(host: Host, options: PublishGatedOptions): Promise<Published> {
  const { plan, layout, registry } = options;
  const passed = await readGateRecord(host, options.gate);
  const { root } = await childrenOf(host, layout);
  if (passed.variant !== plan.variant || passed.digest !== root.digest)
    throw new AppError('ci/not-gated', 'findings', 'this is not the image that passed the gate', {
      expected: `${passed.variant} ${passed.digest}`,
      found: `${plan.variant} ${root.digest}`,
      where: { file: options.gate },
    });
  return await publishLayout(host, { layout, repository: plan.repository, registry, tags: [] });
}

export interface TagOptions {
  readonly plan: Plan;
  readonly tags: readonly string[];
  /** The frozen plans, for variants that were not built. */
  readonly frozen: string;
  /** What `ci gate` wrote; absent for a variant whose inputs were published before. */
  readonly gate?: string | undefined;
  readonly registry: Registry;
  /** Whom to believe about images that last; an image that expires is not signed. */
  readonly verifier?: BundleVerifier | undefined;
}

/** demandProof: a tag that lasts names nothing that is not signed and attested on every node. */
async function demandProof(ref: ImageRef & { readonly digest: Digest }, options: TagOptions): Promise<void> {
  const { registry, verifier } = options;
  if (verifier === undefined)
    throw new AppError('ci/no-policy', 'usage', 'nobody is named who may have signed', {
      expected: '--identity or --policy: tags of images that last move to proven images only',
    });
  const report = await verifyTree(registry, ref, verifier);
  if (!report.ok) throw unverified(report);
}

async function digestToTag(host: Host, { plan, frozen, gate }: TagOptions): Promise<Digest> {
  if (gate !== undefined) {
    const passed = await readGateRecord(host, gate);
    if (passed.variant === plan.variant) return passed.digest;
    throw new AppError('ci/not-gated', 'findings', 'the gate’s record is about another variant', {
      expected: plan.variant,
      found: passed.variant,
    });
  }
  const { unchanged } = await readFrozen(host, frozen);
  const found = unchanged.find(({ variant }) => variant === plan.variant);
  const digest = found === undefined ? undefined : parseImageRef(found.reference).digest;
  if (digest !== undefined) return digest;
  throw new AppError('ci/nothing-to-tag', 'usage', `${plan.variant} was neither built nor published before`);
}

/**
 * tagVariant verifies an image that lasts, then moves the tags, and last of all the one by which these inputs are found again: whoever finds
 * that one knows that the others were moved. An image that expires never gets it.
 */
export async function tagVariant(
  host: Host,
  options: TagOptions,
): Promise<{ readonly reference: string; readonly moves: readonly TagMove[] }> {
  const { plan, registry } = options;
  const repository = parseImageRef(plan.repository);
  const ref = { registry: repository.registry, repository: repository.repository };
  const digest = await digestToTag(host, options);
  const { annotations } = parseIndex((await registry.manifest({ ...ref, digest })).bytes);
  if (annotations?.[labelNames.inputDigest] !== plan.inputDigest)
    throw new AppError('ci/not-planned', 'findings', 'the image in the registry was made from other inputs', {
      expected: plan.inputDigest,
      found: annotations?.[labelNames.inputDigest] ?? 'no input digest',
    });
  const lasting = annotations[labelNames.expires] === undefined ? [inputTag(plan)] : [];
  if (lasting.length > 0) await demandProof({ ...ref, digest }, options);
  const moves: TagMove[] = [];
  for (const tag of [...options.tags, ...lasting]) moves.push(await registry.moveTag({ ...ref, tag }, digest));
  return { reference: formatImageRef({ ...ref, digest }), moves };
}
