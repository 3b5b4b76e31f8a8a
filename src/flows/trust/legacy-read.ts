import { hexOf, maxManifestBytes, parseManifest, type Digest } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import type { Registry } from '../../registry/index.ts';
import { verifyLegacyLayer, type BundleVerifier } from '../../sigstore/index.ts';
import { readSmall } from '../blob.ts';
import type { VerifiedAttestation } from './evidence.ts';
import type { Tree } from './tree.ts';

/** cosign 2's tags for one digest (cosign, specs/SIGNATURE_SPEC.md). */
export const legacyTags = (digest: Digest) =>
  ({ signature: `sha256-${hexOf(digest)}.sig`, attestation: `sha256-${hexOf(digest)}.att` }) as const;

/** readTagged returns the manifest's bytes under a tag; undefined when there is no such tag. */
export async function readTagged(registry: Registry, tree: Tree, tag: string): Promise<Buffer | undefined> {
  try {
    return (await registry.manifest({ ...tree.repo, tag })).bytes;
  } catch (error) {
    if (error instanceof AppError && error.code === 'registry/not-found') return undefined;
    throw error;
  }
}

/** readLegacy verifies what cosign 2 left under its tags. */
export async function readLegacy(
  registry: Registry,
  tree: Tree,
  digest: Digest,
  verifier: BundleVerifier,
): Promise<VerifiedAttestation[]> {
  const attestations: VerifiedAttestation[] = [];
  for (const tag of Object.values(legacyTags(digest))) {
    const bytes = await readTagged(registry, tree, tag);
    if (bytes === undefined) continue;
    for (const layer of parseManifest(bytes).layers) {
      const payload = await readSmall(registry, tree.repo, layer, 2 * maxManifestBytes);
      attestations.push({
        source: `${tag} ${layer.digest}`,
        result: await verifyLegacyLayer(verifier, layer, payload, digest),
      });
    }
  }
  return attestations;
}
