import { formatImageRef, type Digest, type ImageRef } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import type { Registry } from '../../registry/index.ts';
import { imageSignature } from '../../sigstore/index.ts';
import { attachAll, type AttachedBundle, type SigningContext } from './attach.ts';
import { signLegacyTags, type LegacyTag } from './legacy-write.ts';
import { readTree, refuseExpiring, type Tree } from './tree.ts';

export interface Signed {
  readonly reference: string;
  readonly bundles: readonly AttachedBundle[];
  readonly legacy: readonly LegacyTag[];
}

/** demandDigest: a tag may move between two reads; what is signed is what was named. Throws `trust/no-digest`. */
export function demandDigest(ref: ImageRef): Digest {
  if (ref.digest !== undefined) return ref.digest;
  throw new AppError('trust/no-digest', 'usage', 'only a digest is signed', {
    expected: 'host/repository@sha256:…',
    found: formatImageRef(ref),
    hint: 'take the digest that `build` or `publish` printed, never one that a tag names now',
  });
}

/** treeToSign reads the tree of a digest and refuses what must not be signed. */
export async function treeToSign(registry: Registry, ref: ImageRef): Promise<Tree> {
  demandDigest(ref);
  const tree = await readTree(registry, ref);
  await refuseExpiring(registry, tree);
  return tree;
}

/** treeOf takes a tree that was read already. */
export async function treeOf({ registry }: SigningContext, image: ImageRef | Tree): Promise<Tree> {
  return 'nodes' in image ? image : await treeToSign(registry, image);
}

/**
 * signTree puts an image signature (cosign's sign/v1) on the index and every image beneath it. A
 * second run finds them and adds nothing. A tree is what `treeToSign` let through. With `legacy` also cosign 2's `.sig` tags. Throws
 * `trust/no-digest`, `trust/expiring`, `trust/self-check`, `sigstore/*` and RegistryError.
 */
export async function signTree(
  signing: SigningContext,
  image: ImageRef | Tree,
  options: { readonly legacy?: boolean | undefined } = {},
): Promise<Signed> {
  const tree = await treeOf(signing, image);
  const wanted = tree.nodes.map((node) => ({ node, statement: imageSignature(node.descriptor.digest) }));
  const bundles = await attachAll(signing, tree, wanted);
  const legacy = options.legacy === true ? await signLegacyTags(signing, tree) : [];
  return { reference: formatImageRef({ ...tree.repo, digest: tree.digest }), bundles, legacy };
}
