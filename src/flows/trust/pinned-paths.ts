import { labelNames, type Definitions, type FragmentDefinition, type Picture, type Pin } from '../../core/index.ts';
import { fragmentNames } from '../../dockerfile/render.ts';
import type { Host } from '../../host/index.ts';
import type { PinnedPath } from '../../sbom/index.ts';
import { buildPlan, findVariant, loadDefinitions, type PlanOptions } from '../plan.ts';
import { readRunnerSource, withRunnerSource } from '../runner-source.ts';

const stagesOf = ({ stage }: FragmentDefinition): string[] =>
  [...(stage?.text ?? '').matchAll(/^FROM\s+.*\s+AS\s+(\S+)\s*$/gim)].map((match) => match[1] ?? '');

const copiesFrom = ({ stage, final }: FragmentDefinition): Set<string> =>
  new Set([...`${stage?.text ?? ''}\n${final?.text ?? ''}`.matchAll(/^COPY\s+--from=(\S+)/gim)].map((m) => m[1] ?? ''));

const standsOn = ({ stage }: FragmentDefinition): Set<string> =>
  new Set([...(stage?.text ?? '').matchAll(/^FROM\s+(?:--\S+\s+)?(\S+)\s+AS\s/gim)].map((m) => m[1] ?? ''));

/** RPMs are in the image's own database, with the versions that the pin does not know. */
const isArtifact = ({ kind }: Pin): boolean => kind !== 'rpms' && kind !== 'action';

/**
 * pinnedPaths says which pin's bytes lie where in a variant: a fragment's first provided path is what it is there
 * for. A fragment without pins brings what it copies from another fragment's stage (the runner from its source), and one
 * that copies nothing what it stands on (what of that source is shipped).
 */
export function pinnedPaths(definitions: Definitions, variantName: string): PinnedPath[] {
  const { image, variant } = findVariant(definitions, variantName);
  const fragments = fragmentNames(image, variant).flatMap((name) => definitions.fragments.get(name) ?? []);
  const pinsOf = (fragment: FragmentDefinition): readonly string[] => {
    if (fragment.pins.length > 0) return fragment.pins;
    const copied = copiesFrom(fragment);
    const from = copied.size > 0 ? copied : standsOn(fragment);
    return fragments
      .filter((other) => other !== fragment && stagesOf(other).some((stage) => from.has(stage)))
      .flatMap(pinsOf);
  };
  const found: PinnedPath[] = [];
  for (const fragment of fragments) {
    const [path] = fragment.provides;
    if (path === undefined) continue;
    for (const name of pinsOf(fragment)) {
      const pin = definitions.pins.get(name);
      if (pin !== undefined && isArtifact(pin)) found.push({ pin, path });
    }
  }
  return found;
}

/** PinsOfImage returns the pins that an image's files came from; none where they are unknown. */
export type PinsOfImage = (picture: Picture) => Promise<readonly PinnedPath[]>;

/**
 * projectPins knows the pins of images that were built from what the project says now: the image's variant and
 * input digest are held against the plan's. Of any other image it claims nothing, and says so once.
 */
export function projectPins(host: Host, options: Omit<PlanOptions, 'variant'>): PinsOfImage {
  let warned = false;
  const known = new Map<string, Promise<{ readonly inputs: string; readonly pinned: readonly PinnedPath[] }>>();
  const load = async (variant: string) => {
    const plan = await buildPlan(host, { ...options, variant });
    const definitions = await loadDefinitions(host, options.root, options.pinsFile);
    const { runnerSource } = options;
    const taken =
      runnerSource === undefined
        ? definitions
        : withRunnerSource(definitions, await readRunnerSource(host, runnerSource));
    const pinned = pinnedPaths(taken, variant);
    return { inputs: plan.inputDigest, pinned };
  };
  return async ({ config }) => {
    const labels = config.config?.Labels ?? {};
    const variant = labels[labelNames.variant];
    if (variant === undefined) return [];
    const found = known.get(variant) ?? load(variant);
    known.set(variant, found);
    const plan = await found.catch(() => undefined);
    if (plan !== undefined && plan.inputs === labels[labelNames.inputDigest]) return plan.pinned;
    if (!warned) host.progress.warn(`${variant} was not built from what the project says now: its pins are not listed`);
    warned = true;
    return [];
  };
}
