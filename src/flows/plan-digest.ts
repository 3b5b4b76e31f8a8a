import { digestOf, type ContextFile, type Digest, type Platform } from '../core/index.ts';

/** What decides an image's content. A new member, or another meaning of one, needs a new `format`. */
export interface DigestInputs {
  /** The Dockerfile with the upstreams' own locations, never a mirror's: same bytes, same image. */
  readonly dockerfile: string;
  readonly context: readonly ContextFile[];
  readonly base: Digest;
  readonly labels: Readonly<Record<string, string>>;
  readonly platforms: readonly Platform[];
}

/** Another way to write an image from the same inputs needs another number. */
export const inputFormat = 1;

/**
 * inputDigest is SHA-256 over one line of JSON with fixed member order: format, the Dockerfile's
 * digest, [path, mode, digest] of each context file by path, the base's digest, labels by key and
 * platforms in order. build-ca/ is left out: it decides whom a build trusts, not what it makes.
 * Commit, date and version of one build are left out too, so that a new commit alone changes nothing.
 */
export function inputDigest(inputs: DigestInputs): Digest {
  const context = inputs.context
    .filter(({ path }) => !path.startsWith('build-ca/'))
    .map(({ path, mode, digest }) => [path, mode, digest] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const labels = Object.entries(inputs.labels).sort(([a], [b]) => (a < b ? -1 : 1));
  const { base, platforms } = inputs;
  return digestOf(
    JSON.stringify({ format: inputFormat, dockerfile: digestOf(inputs.dockerfile), context, base, labels, platforms }),
  );
}
