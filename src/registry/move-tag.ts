import type { Digest } from '../core/digest.ts';
import type { ImageRef } from '../core/image-ref.ts';
import { AppError } from '../errors/index.ts';
import { fetchManifest, putManifest } from './manifest.ts';
import { formatRepository, type Repository } from './repository.ts';
import { resolve } from './resolve.ts';
import { backoff } from '../core/retry.ts';
import { isNotFound, type Transport } from './transport.ts';

export interface MoveOptions {
  /** What the tag must name now; `null`: it must not exist. Left out: whatever it names is replaced. */
  readonly expectOld?: Digest | null | undefined;
}

export interface TagMove {
  readonly tag: string;
  /** Absent when the tag is new. */
  readonly before?: Digest | undefined;
  readonly after: Digest;
  /** False when the tag named the digest already. */
  readonly moved: boolean;
}

/** A tag in a repository. */
export type TagRef = Repository & { readonly tag: string };

/** tagDigest returns what a tag names; undefined when it does not exist. Any other failure is thrown. */
export async function tagDigest(wire: Transport, { registry, repository, tag }: TagRef): Promise<Digest | undefined> {
  const ref: ImageRef = { registry, repository, tag };
  try {
    return (await resolve(wire, ref)).digest;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

function moved(ref: TagRef, expected: Digest | undefined | null, found: Digest | undefined): AppError {
  return new AppError(
    'registry/tag-moved',
    'upstream',
    `the tag ${formatRepository(ref)}:${ref.tag} has moved meanwhile`,
    {
      expected: expected ?? 'no such tag',
      found: found ?? 'no such tag',
      hint: 'another publisher moved it: compare both digests, and run it again if yours is the one to keep',
    },
  );
}

/** How often a registry that answers from a cache is asked before the tag counts as lost. */
const looks = 6;

/**
 * moveTag lets a tag name a digest that the repository holds already. The distribution API has no
 * compare-and-swap, so the tag is read before, again right before writing, and after. Throws
 * `registry/tag-moved` with both digests, or RegistryError.
 */
export async function moveTag(
  wire: Transport,
  ref: TagRef,
  digest: Digest,
  options: MoveOptions = {},
): Promise<TagMove> {
  const { registry, repository, tag } = ref;
  const before = await tagDigest(wire, ref);
  const { expectOld } = options;
  if (before === digest) return { tag, before, after: digest, moved: false };
  if (expectOld !== undefined && (expectOld ?? undefined) !== before) throw moved(ref, expectOld, before);
  const manifest = await fetchManifest(wire, { registry, repository, digest });
  const again = await tagDigest(wire, ref);
  if (again !== before) throw moved(ref, before, again);
  await putManifest(wire, ref, manifest.bytes, manifest.descriptor.mediaType, tag);
  for (let look = 1; ; look += 1) {
    const after = await tagDigest(wire, ref);
    if (after === digest) return { tag, before, after, moved: true };
    // An old answer may be a stale one; a third digest is another publisher's.
    if (after !== before || look === looks) throw moved(ref, digest, after);
    await wire.host.clock.sleep(backoff(wire.policy, look), wire.host.signal);
  }
}
