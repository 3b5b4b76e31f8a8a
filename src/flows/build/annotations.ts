import { labelNames, type Plan } from '../../core/index.ts';

const dynamic = {
  [labelNames.revision]: 'GIT_COMMIT',
  [labelNames.created]: 'CREATED',
  [labelNames.version]: 'VERSION',
  [labelNames.inputDigest]: 'INPUT_DIGEST',
} as const;

const copied = [
  labelNames.title,
  labelNames.description,
  labelNames.licenses,
  labelNames.source,
  labelNames.baseName,
  labelNames.baseDigest,
  labelNames.contract,
  labelNames.variant,
];

/**
 * annotationsOf returns what index and manifests say of themselves: the same names and values as the image's
 * labels (image-spec annotations.md), so that a registry's page and `skopeo inspect --raw` show them.
 */
export function annotationsOf(plan: Plan, expires?: string): Record<string, string> {
  const annotations: Record<string, string> = {};
  for (const name of copied) {
    const value = plan.labels[name];
    if (value !== undefined) annotations[name] = value;
  }
  for (const [name, argument] of Object.entries(dynamic)) {
    const value = plan.buildArgs[argument];
    if (value !== undefined && value !== '') annotations[name] = value;
  }
  if (plan.lab) annotations[labelNames.lab] = 'true';
  if (expires !== undefined) annotations[labelNames.expires] = expires;
  return annotations;
}
