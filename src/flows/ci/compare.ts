import { formatImageRef, parseImageRef, type Plan } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import type { Registry } from '../../registry/index.ts';
import { settle } from '../../registry/resolve.ts';
import { builtSource, openBuilt } from '../built.ts';
import { compareImages } from '../compare-images.ts';

/** What main published last: the image that a pull request would replace. */
const published = 'latest';

/** Comparison: what a built image changes, as Markdown, or why it was not compared. */
export type Comparison =
  | { readonly $case: 'compared'; readonly section: string }
  | { readonly $case: 'not-compared'; readonly because: string };

const notCompared = (because: string): Comparison => ({ $case: 'not-compared', because });

export interface ComparisonOptions {
  readonly plan: Plan;
  /** Absolute path of the joined layout. */
  readonly layout: string;
  readonly registry: Registry;
}

/**
 * compareWithPublished says what the built image changes against the published one. It is for the reviewer and decides
 * nothing: a registry that does not answer, or has no image yet, is reported and is no failure. An image of our own that
 * cannot be read is one.
 */
export async function compareWithPublished(
  host: Host,
  { plan, layout, registry }: ComparisonOptions,
): Promise<Comparison> {
  const repository = parseImageRef(plan.repository);
  const tagged = { ...repository, tag: published };
  const found = await settle(registry.resolve(tagged));
  if (found.$case === 'gone') return notCompared(`${formatImageRef(tagged)} is not published yet`);
  if (found.$case === 'unknown') return notCompared(`${found.error.message} (${found.error.code})`);
  const { digest } = found.descriptor;
  const before = formatImageRef({ ...repository, digest });
  const names = { before: formatImageRef({ ...tagged, digest }), after: `${plan.variant} of this run` };
  try {
    const after = builtSource(await openBuilt(host, layout));
    const { section } = await compareImages(host, { before, after, registry, names });
    return { $case: 'compared', section };
  } catch (error) {
    if (error instanceof AppError && error.exit === 3) return notCompared(`${error.message} (${error.code})`);
    throw error;
  }
}
