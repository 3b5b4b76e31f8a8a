import type { Descriptor, Digest } from '../../core/index.ts';
import { mapLimited } from '../../core/limit.ts';
import {
  attestationOf,
  legacyAttestation,
  legacyManifest,
  maxBundleBytes,
  signLegacy,
  type LegacyLayer,
} from '../../sigstore/index.ts';
import { readSmall } from '../blob.ts';
import { memorySource, type SigningContext } from './attach.ts';
import { gatherEvidence } from './evidence.ts';
import { layersUnder, legacyTags, verifyLayers } from './legacy-read.ts';
import { NodeBytes, ReadingLimits } from './reading-limits.ts';
import { nameOf, type Tree } from './tree.ts';

export interface LegacyTag {
  readonly node: string;
  readonly tag: string;
  readonly how: 'written' | 'present';
}

/** What is under a tag is kept, but for what its registry would refuse with the manifest: layers whose blob is gone. */
async function keptUnder({ registry }: SigningContext, tree: Tree, tag: string): Promise<readonly Descriptor[]> {
  const layers = await layersUnder(registry, tree, tag);
  if ('$case' in layers) return [];
  const asked = new Map<string, Promise<boolean>>();
  const there = await mapLimited(layers, 8, async (layer) => {
    const key = `${layer.digest} ${layer.size}`;
    const asking = asked.get(key) ?? registry.blobExists(tree.repo, layer);
    asked.set(key, asking);
    return await asking;
  });
  return layers.filter((_layer, at) => there[at] === true);
}

async function write(
  { registry }: SigningContext,
  tree: Tree,
  tag: string,
  layers: readonly Descriptor[],
  added: LegacyLayer[],
) {
  const { bytes, config } = legacyManifest([...layers, ...added.map(({ descriptor }) => descriptor)]);
  for (const { descriptor, bytes: content } of [...added, config])
    await registry.upload(tree.repo, memorySource(content), descriptor);
  await registry.put(tree.repo, bytes, 'application/vnd.oci.image.manifest.v1+json', tag);
}

/** signLegacyTags writes cosign 2's `.sig` of every node, unless one that verifies is there. */
export async function signLegacyTags(signing: SigningContext, tree: Tree): Promise<LegacyTag[]> {
  const done: LegacyTag[] = [];
  for (const node of [...tree.nodes].reverse()) {
    const { digest } = node.descriptor;
    const { signature: tag } = legacyTags(digest);
    const layers = await keptUnder(signing, tree, tag);
    const name = nameOf(node);
    if (await holds(signing, tree, layers, digest)) {
      done.push({ node: name, tag, how: 'present' });
      continue;
    }
    const repository = `${tree.repo.registry}/${tree.repo.repository}`;
    await write(signing, tree, tag, layers, [await signLegacy(signing.host, signing.signer, digest, repository)]);
    done.push({ node: name, tag, how: 'written' });
  }
  return done;
}

async function holds(
  { registry, verifier }: SigningContext,
  tree: Tree,
  layers: readonly Descriptor[],
  digest: Digest,
): Promise<boolean> {
  const bytes = new NodeBytes(registry, tree.repo);
  const results = await verifyLayers(layers, digest, { registry, verifier, bytes, limits: new ReadingLimits() });
  return results.some(({ result }) => result.$case === 'verified');
}

/** attestLegacyTags puts the envelopes of every node's verified bundles under cosign 2's `.att`, too. */
export async function attestLegacyTags(signing: SigningContext, tree: Tree): Promise<LegacyTag[]> {
  const done: LegacyTag[] = [];
  for (const node of [...tree.nodes].reverse()) {
    const { digest } = node.descriptor;
    const { attestation: tag } = legacyTags(digest);
    const layers = await keptUnder(signing, tree, tag);
    const there = new Set(layers.map((layer) => layer.digest));
    const added: LegacyLayer[] = [];
    for (const { result, bundle } of await gatherEvidence(signing.registry, tree, node, signing.verifier)) {
      if (bundle === undefined || result.$case !== 'verified' || result.attestation === 'signature') continue;
      const { predicateType } = result.statement;
      if (attestationOf(predicateType) === undefined) continue;
      const bytes = await readSmall(signing.registry, tree.repo, bundle, maxBundleBytes);
      const layer = await legacyAttestation(bytes, predicateType);
      if (!there.has(layer.descriptor.digest)) added.push(layer);
    }
    if (added.length > 0) await write(signing, tree, tag, layers, added);
    if (added.length > 0 || layers.length > 0)
      done.push({ node: nameOf(node), tag, how: added.length > 0 ? 'written' : 'present' });
  }
  return done;
}
