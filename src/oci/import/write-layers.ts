import type { Descriptor, Digest } from '../../core/index.ts';
import type { Host } from '../../host/index.ts';
import { blobsOf, type Layout } from '../layout/index.ts';
import type { StoredImage } from '../sources/images.ts';
import { baseLayers, type BaseImage } from './base.ts';
import type { ImportRequest } from './import.ts';
import { rewriteLayer, type OwnLayer } from './rewrite.ts';
import { spoolLayer } from './spool.ts';

/**
 * writeLayers writes the layers of an engine's image that are not the base's, one after the other, since each uses all
 * cores. It returns every layer by its place; undefined for one without entries, which only some engines write.
 */
export async function writeLayers(
  host: Host,
  layout: Layout,
  image: StoredImage,
  request: ImportRequest,
): Promise<(OwnLayer | undefined)[]> {
  // A layer above the base may hold the same bytes as one of the base's, an empty one say.
  const written = new Map<Digest, OwnLayer | undefined>(layersByDiffId(request.base));
  const layers: (OwnLayer | undefined)[] = [];
  for (const [index, layer] of image.manifest.layers.entries()) {
    const diffId = image.config.rootfs.diff_ids[index] ?? layer.digest;
    if (!written.has(diffId)) written.set(diffId, await writeLayer(host, layout, image, request, { layer, diffId }));
    layers.push(written.get(diffId));
  }
  return layers;
}

/** The base's layers, the first of each content. */
function layersByDiffId(base: BaseImage | undefined): Map<Digest, OwnLayer> {
  const layers = new Map<Digest, OwnLayer>();
  for (const [index, descriptor] of (base === undefined ? [] : baseLayers(base)).entries()) {
    const diffId = base?.config.rootfs.diff_ids[index];
    if (diffId !== undefined && !layers.has(diffId)) layers.set(diffId, { descriptor, diffId });
  }
  return layers;
}

async function writeLayer(
  host: Host,
  layout: Layout,
  image: StoredImage,
  request: ImportRequest,
  { layer, diffId }: { readonly layer: Descriptor; readonly diffId: Digest },
): Promise<OwnLayer | undefined> {
  const how = { epoch: request.sourceDateEpoch, mountPoints: request.mountPoints ?? [] };
  const known = await request.known?.find(diffId, how);
  if (known !== undefined) return known.layer;
  const spooled = await spoolLayer(host, blobsOf(layout), await image.open(layer), layer, diffId);
  try {
    const own = await rewriteLayer(host, layout, spooled, how);
    request.known?.note(diffId, how, own);
    return own;
  } finally {
    await spooled.discard();
  }
}
