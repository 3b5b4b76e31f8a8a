import { formatImageRef, parseImageRef, type Digest, type ImageConfig, type Plan } from '../../core/index.ts';
import { openEvidence, withPublication, writeEvidence, type Evidence, type Filed } from '../../evidence/index.ts';
import type { Host } from '../../host/index.ts';
import type { PushReport, Registry, TagMove } from '../../registry/index.ts';
import { inputTag } from '../build/names.ts';
import { configsOf, openBuilt, requireInputs, requirePlatforms, type BuiltLayout } from '../built.ts';
import { passGate, type Gating } from './gate.ts';
import { moveTags, pushImage } from './push.ts';
import { isExpiring, refuseChangedRunner, refuseDirty, refuseLab } from './refuse.ts';

export interface PublishOptions {
  readonly plan: Plan;
  /** Absolute path of the layout. */
  readonly layout: string;
  readonly gate: Gating;
  readonly registry: Registry;
  /** `host/repository`. */
  readonly repository: string;
  /** Tags to move last, and after them the one by which these inputs are found again; `none`: by digest only. */
  readonly tags: readonly string[] | 'none';
}

export interface Published {
  readonly reference: string;
  readonly digest: Digest;
  readonly push: PushReport;
  readonly tags: readonly TagMove[];
  readonly evidence: Evidence;
  readonly evidenceFile: string;
}

/** Found by its inputs, an expiring image would be taken for the release, and then be gone. */
const tagsOf = ({ tags, plan }: PublishOptions, configs: readonly ImageConfig[]): readonly string[] =>
  tags === 'none' ? [] : isExpiring(configs) ? tags : [...tags, inputTag(plan)];

/** What was built is let near the gate only when it is what the plan says, for all its platforms. */
async function openFitting(
  host: Host,
  { layout, plan }: Pick<PublishOptions, 'layout' | 'plan'>,
): Promise<BuiltLayout> {
  const image = await openBuilt(host, layout);
  requirePlatforms(image, plan);
  requireInputs(image, plan);
  return image;
}

/**
 * publish lets an image out: through the gate, blobs and manifests by digest, the index by digest, and only then the
 * tags. What the gate saw is written down before the first byte leaves; a broken run is continued by the next one.
 * Throws `publish/*`, `evidence/*`, `layout/*` and what the registry throws.
 */
export async function publish(host: Host, options: PublishOptions): Promise<Published> {
  const { plan, registry } = options;
  const to = parseImageRef(options.repository);
  const image = await openFitting(host, options);
  const configs = await configsOf(image);
  refuseLab(configs, to.registry);
  refuseDirty(configs, to.registry);
  refuseChangedRunner(configs);
  const passed = await passGate(host, image, plan, await openEvidence(host, image, plan), options.gate);
  const repository = { registry: to.registry, repository: to.repository };
  const push = await pushImage(host, registry, repository, image);
  const tags = await moveTags(registry, repository, image, tagsOf(options, configs));
  const published = { reference: formatImageRef({ ...repository, digest: image.digest }), tags };
  const seen = withPublication(passed.evidence, published, host.clock.now());
  const { file, evidence } = await writeEvidence(host, { file: passed.file, evidence: seen });
  return { ...published, digest: image.digest, push, evidence, evidenceFile: file };
}

/** rehearse holds an image against the gate and pushes nothing. Throws what publish throws before the push. */
export async function rehearse(host: Host, options: Pick<PublishOptions, 'plan' | 'layout' | 'gate'>): Promise<Filed> {
  const image = await openFitting(host, options);
  return await passGate(host, image, options.plan, await openEvidence(host, image, options.plan), options.gate);
}
