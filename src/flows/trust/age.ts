import { formatImageRef, labelNames, type Digest } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import { contentProblem, type Registry, type TagRef } from '../../registry/index.ts';
import { configOf, readTree, type Tree } from './tree.ts';

/** What a tree says of its own age. */
interface Age {
  /** When the newest of its images was made; undefined where one of them does not say, or says the epoch. */
  readonly created: Date | undefined;
  readonly version: string | undefined;
}

async function ageOf(registry: Registry, tree: Tree): Promise<Age> {
  const images = tree.nodes.filter(({ role }) => role === 'image');
  const configs = await Promise.all(images.map((node) => configOf(registry, tree, node)));
  const times = configs.map((config) =>
    Date.parse(config?.config?.Labels?.[labelNames.created] ?? config?.created ?? ''),
  );
  // Reproducible builds of other tools write the epoch, or the year 1: no statement at all.
  const known = times.length > 0 && times.every((time) => time > 0);
  const version = configs[0]?.config?.Labels?.[labelNames.version];
  return { created: known ? new Date(Math.max(...times)) : undefined, version };
}

/** Undefined when what the tag names cannot be read: deleted, or no image. */
async function currentAge(registry: Registry, tag: TagRef, digest: Digest): Promise<Age | undefined> {
  try {
    return await ageOf(registry, await readTree(registry, { ...tag, digest }));
  } catch (error) {
    if (contentProblem(error) === undefined && !(error instanceof AppError && error.code === 'trust/tree')) throw error;
    return undefined;
  }
}

const textOf = (age: Age | undefined): string =>
  [age?.version, age?.created?.toISOString() ?? 'no date'].filter((part) => part !== undefined).join(', ');

/**
 * demandNotOlder throws `trust/older` when a tag names something newer than the tree: an old image with a known hole is
 * as well signed as the new one. Dates are those that the images carry. `trust/age-unknown` when one of both carries
 * none, since then it could be either.
 */
export async function demandNotOlder(registry: Registry, tag: TagRef, before: Digest, tree: Tree): Promise<void> {
  if (before === tree.digest) return;
  const [ours, theirs] = await Promise.all([ageOf(registry, tree), currentAge(registry, tag, before)]);
  const facts = {
    expected: `not older than ${formatImageRef({ ...tag, digest: before })} (${textOf(theirs)})`,
    found: `${tree.digest} (${textOf(ours)})`,
    hint: 'promote it with --allow-older if that is what you mean',
  };
  if (ours.created === undefined || theirs?.created === undefined)
    throw new AppError(
      'trust/age-unknown',
      'findings',
      'whether the image is older than the tagged one is unknown',
      facts,
    );
  if (ours.created < theirs.created)
    throw new AppError('trust/older', 'findings', 'the image is older than what the tag names', facts);
}
