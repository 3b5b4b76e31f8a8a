import { isDeepStrictEqual } from 'node:util';
import { mediaTypes, type Descriptor } from '../../core/index.ts';
import { bothEnds, type Registry, type Repository } from '../../registry/index.ts';
import { legacyManifest, maxBundleBytes, type BundleVerifier } from '../../sigstore/index.ts';
import { readSmall } from '../blob.ts';
import { memorySource } from './attach.ts';
import { layersUnder, legacyTags, maxLayers, verifyLayers } from './legacy-read.ts';
import { NodeBytes, ReadingLimits } from './reading-limits.ts';
import type { Tree } from './tree.ts';

const same = (one: Descriptor) => (other: Descriptor) =>
  one.digest === other.digest && isDeepStrictEqual({ ...one.annotations }, { ...other.annotations });

/**
 * promoteLegacy adds to cosign 2's tags at the destination what the policy accepts of those at the source. Whatever else
 * is under a tag at the source stays there; whatever is under it at the destination stays, too. Returns the tags that
 * were written.
 */
export async function promoteLegacy(
  registry: Registry,
  tree: Tree,
  to: Repository,
  verifier: BundleVerifier,
): Promise<string[]> {
  const written: string[] = [];
  const limits = new ReadingLimits();
  for (const { descriptor } of tree.nodes)
    for (const tag of Object.values(legacyTags(descriptor.digest))) {
      const layers = await layersUnder(registry, tree, tag);
      if ('$case' in layers) continue;
      const bytes = new NodeBytes(registry, tree.repo);
      const reading = { registry, verifier, bytes, limits };
      const results = await verifyLayers(bothEnds(layers, maxLayers), descriptor.digest, reading);
      const accepted = results.flatMap(({ layer, result }) => (result.$case === 'verified' ? [layer] : []));
      const found = await layersUnder(registry, { repo: to }, tag);
      const there = '$case' in found ? [] : found;
      const lacking = accepted.filter((layer) => !there.some(same(layer)));
      if (lacking.length === 0) continue;
      const { bytes: manifest, config } = legacyManifest([...there, ...lacking]);
      for (const layer of lacking)
        await registry.upload(to, memorySource(await readSmall(registry, tree.repo, layer, maxBundleBytes)), layer);
      await registry.upload(to, memorySource(config.bytes), config.descriptor);
      await registry.put(to, manifest, mediaTypes.manifest, tag);
      written.push(tag);
    }
  return written;
}
