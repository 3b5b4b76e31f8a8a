import { mapLimited } from '../../core/limit.ts';
import { hexOf, parseManifest, type Descriptor, type Digest } from '../../core/index.ts';
import { bothEnds, contentProblem, type Registry } from '../../registry/index.ts';
import {
  legacyTypes,
  maxBundleBytes,
  refuse,
  verifyLegacyLayer,
  type BundleVerifier,
  type Refused,
  type Verified,
} from '../../sigstore/index.ts';
import type { VerifiedAttestation } from './evidence.ts';
import type { NodeBytes, ReadingLimits } from './reading-limits.ts';
import type { Tree } from './tree.ts';

/** cosign 2's tags for one digest (cosign, specs/SIGNATURE_SPEC.md). */
export const legacyTags = (digest: Digest) =>
  ({ signature: `sha256-${hexOf(digest)}.sig`, attestation: `sha256-${hexOf(digest)}.att` }) as const;

/** What cosign 2 signs has about 250 bytes. */
const maxSimpleSigning = 64 * 1024;
/** Layers under one tag that are read. */
export const maxLayers = 256;

/**
 * layersUnder returns the layers under one of cosign 2's tags; none when there is no such tag, and a refusal when it
 * holds something else. Throws when the registry cannot be asked.
 */
export async function layersUnder(
  registry: Registry,
  { repo }: Pick<Tree, 'repo'>,
  tag: string,
): Promise<readonly Descriptor[] | Refused> {
  try {
    const { bytes, node } = await registry.manifest({ ...repo, tag });
    if (node.$case === 'index') return refuse('malformed-bundle', 'an index instead of a manifest of signatures');
    return parseManifest(bytes).layers;
  } catch (error) {
    const problem = contentProblem(error);
    if (problem === undefined) throw error;
    return problem.reason === 'gone' ? [] : refuse(problem.reason, problem.detail);
  }
}

/** How layers are read and verified. */
export interface LegacyReading {
  readonly registry: Registry;
  readonly verifier: BundleVerifier;
  readonly bytes: NodeBytes;
  readonly limits: ReadingLimits;
}

/** LegacyResult is one layer under a tag, and what became of it. */
export interface LegacyResult {
  readonly layer: Descriptor;
  readonly result: Verified | Refused;
}

/** verifyLayers verifies layers in their order. Those with the same payload, as all signatures of one image, read it once. */
export async function verifyLayers(
  layers: readonly Descriptor[],
  subject: Digest,
  { verifier, bytes, limits }: LegacyReading,
): Promise<LegacyResult[]> {
  const groups = new Map<string, Descriptor[]>();
  for (const layer of layers) {
    const key = `${layer.digest} ${layer.size} ${layer.mediaType}`;
    groups.set(key, [...(groups.get(key) ?? []), layer]);
  }
  const results = new Map<Descriptor, Verified | Refused>();
  await mapLimited([...groups.values()], 8, async (group) => {
    const [first] = group;
    if (first === undefined) return;
    const limit = first.mediaType === legacyTypes.signature ? maxSimpleSigning : maxBundleBytes;
    await limits.inTurn(first, async () => {
      const payload = await bytes.read(first, limit);
      for (const layer of group) {
        const result = Buffer.isBuffer(payload)
          ? await limits.verify(() => verifyLegacyLayer(verifier, layer, payload, subject))
          : payload;
        results.set(layer, result);
      }
    });
  });
  return [...results].map(([layer, result]) => ({ layer, result }));
}

/** readLegacy verifies what cosign 2 left under its tags. */
export async function readLegacy(tree: Tree, digest: Digest, reading: LegacyReading): Promise<VerifiedAttestation[]> {
  const found: VerifiedAttestation[] = [];
  for (const tag of Object.values(legacyTags(digest))) {
    const layers = await layersUnder(reading.registry, tree, tag);
    if ('$case' in layers) {
      found.push({ source: tag, result: layers });
      continue;
    }
    for (const { layer, result } of await verifyLayers(bothEnds(layers, maxLayers), digest, reading))
      found.push({ source: `${tag} ${layer.digest}`, result });
    const left = layers.length - maxLayers;
    if (left > 0) found.push({ source: tag, result: refuse('too-many', `${left} layers were not read`) });
  }
  return found;
}
