import { join } from 'node:path';
import { AppError } from '../errors/index.ts';
import type { Definitions, ImageDefinition, Mirrors, Plan, VariantDefinition } from '../core/index.ts';
import { renderDockerfile } from '../dockerfile/render.ts';
import { unversioned } from '../dockerfile/render-labels.ts';
import { noMirrors } from '../core/mirrors.ts';
import { imageReference } from '../dockerfile/render-values.ts';
import type { Host } from '../host/index.ts';
import { contextFiles } from './plan-context.ts';
import { loadDefinitions } from './plan-definitions.ts';
import { inputDigest } from './plan-digest.ts';
import { readRunnerSource, withRunnerSource } from './runner-source.ts';
import { sourceDateEpoch, sourceFacts, type SourceFacts } from './plan-git.ts';

export { loadDefinitions } from './plan-definitions.ts';

export interface PlanOptions {
  /** Absolute path of the project. */
  readonly root: string;
  readonly variant: string;
  /** Relative to the project or absolute; images/pins.yaml by default. */
  readonly pinsFile?: string | undefined;
  readonly mirrors?: Mirrors | undefined;
  /** Absolute path of a folder with the runner's source, in the place of the pin `runner`. */
  readonly runnerSource?: string | undefined;
}

/** variantNames lists every variant of every image, in the definitions' order. */
export function variantNames(definitions: Definitions): readonly string[] {
  return definitions.images.flatMap(({ variants }) => variants.map(({ name }) => name));
}

/** findVariant throws `plan/unknown-variant`, naming the variants there are. */
export function findVariant(
  definitions: Definitions,
  name: string,
): { image: ImageDefinition; variant: VariantDefinition } {
  for (const image of definitions.images)
    for (const variant of image.variants) if (variant.name === name) return { image, variant };
  throw new AppError('plan/unknown-variant', 'usage', `no variant is called ${JSON.stringify(name.slice(0, 80))}`, {
    expected: variantNames(definitions).join(', '),
    hint: 'runner-image plan --json lists them',
  });
}

async function projectVersion(host: Host, root: string): Promise<string> {
  const path = join(root, 'package.json');
  if ((await host.files.stat(path))?.type !== 'file') return unversioned;
  const content: unknown = JSON.parse(await host.files.readText(path, 1024 * 1024));
  const version = typeof content === 'object' && content !== null && 'version' in content ? content.version : '';
  return typeof version === 'string' && version !== '' ? version : unversioned;
}

/**
 * planVariant resolves one variant of definitions that are loaded already. Mirrors change the
 * Dockerfile's locations, and nothing else of the plan: the input digest stays the same.
 * `known` is what git says, where it was asked before.
 */
export async function planVariant(
  host: Host,
  definitions: Definitions,
  options: Omit<PlanOptions, 'pinsFile'>,
  known?: SourceFacts,
): Promise<Plan> {
  const local = options.runnerSource === undefined ? undefined : await readRunnerSource(host, options.runnerSource);
  const taken = local === undefined ? definitions : withRunnerSource(definitions, local);
  const { image, variant } = findVariant(taken, options.variant);
  const mirrors = options.mirrors ?? noMirrors;
  // The digest is that of the text without mirrors: a second text is made only where there are some.
  const rendered = renderDockerfile(taken, image, variant);
  const isMirrored = Object.keys(mirrors.images).length + Object.keys(mirrors.urls).length > 0;
  const mirrored = isMirrored ? renderDockerfile(taken, image, variant, mirrors) : rendered;
  const path = `images/${image.image}/Dockerfile.${variant.name}`;
  const [own, facts, version] = await Promise.all([
    contextFiles(host, options.root, path, rendered.files),
    known ?? sourceFacts(host, options.root),
    projectVersion(host, options.root),
  ]);
  const context = [...own, ...(local?.files ?? [])].sort((a, b) => (a.path < b.path ? -1 : 1));
  const epoch = sourceDateEpoch(host, facts);
  const { base, labels } = rendered;
  const digest = inputDigest({
    dockerfile: rendered.text,
    context,
    base: base.digest,
    labels,
    platforms: image.platforms,
  });
  return {
    version: 1,
    variant: variant.name,
    image: image.image,
    profile: image.profile,
    platforms: image.platforms,
    repository: variant.repository,
    base: { pin: base.name, reference: imageReference(base, mirrors), digest: base.digest },
    pins: rendered.pins,
    dockerfile: { path, text: mirrored.text },
    runnerSource: local?.source,
    context,
    labels,
    buildArgs: {
      CREATED: new Date(epoch * 1000).toISOString().replace('.000Z', 'Z'),
      GIT_COMMIT: facts.commit,
      INPUT_DIGEST: digest,
      VERSION: version,
    },
    omitted: [...image.omitted, ...variant.omitted],
    sourceDateEpoch: epoch,
    lab: definitions.lab,
    inputDigest: digest,
  };
}

/** buildPlan loads the definitions and resolves one variant. Throws every problem at once. */
export async function buildPlan(host: Host, options: PlanOptions): Promise<Plan> {
  return planVariant(host, await loadDefinitions(host, options.root, options.pinsFile), options);
}
