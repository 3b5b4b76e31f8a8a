import { join } from 'node:path';
import {
  isIndexType,
  isManifestType,
  maxManifestBytes,
  parseIndex,
  parseManifest,
  type Descriptor,
} from '../../core/index.ts';
import type { Host } from '../../host/index.ts';
import { blobsOf, type Layout } from './layout.ts';

/** How deep an index may hold indexes: real images nest once, and twice with a layout's own. */
const maxDepth = 8;

/**
 * reachable gives every descriptor that index.json leads to, each digest once. A manifest that
 * is named but absent is left to the validator: here it only keeps nothing alive.
 */
export async function reachable(layout: Layout): Promise<Map<string, Descriptor>> {
  const found = new Map<string, Descriptor>();
  const visit = async (descriptor: Descriptor, depth: number): Promise<void> => {
    if (found.has(descriptor.digest) || depth > maxDepth) return;
    found.set(descriptor.digest, descriptor);
    const nested = isIndexType(descriptor.mediaType);
    if (!nested && !isManifestType(descriptor.mediaType)) return;
    if (!(await layout.has(descriptor))) return;
    const bytes = await layout.read(descriptor, maxManifestBytes);
    if (nested) {
      for (const child of parseIndex(bytes).manifests) await visit(child, depth + 1);
    } else {
      const manifest = parseManifest(bytes);
      for (const blob of [manifest.config, ...manifest.layers]) found.set(blob.digest, blob);
    }
  };
  for (const descriptor of (await layout.index())?.manifests ?? []) await visit(descriptor, 0);
  return found;
}

/**
 * collectGarbage removes blobs that index.json does not lead to, and what an interrupted build
 * left half-written. Only the holder of the layout's lock may call it.
 */
export async function collectGarbage(host: Host, layout: Layout): Promise<{ removed: number; bytes: number }> {
  const keep = await reachable(layout);
  const directory = blobsOf(layout);
  let removed = 0;
  let bytes = 0;
  for (const name of await host.files.list(directory)) {
    if (keep.has(`sha256:${name}`)) continue;
    const path = join(directory, name);
    bytes += (await host.files.stat(path))?.size ?? 0;
    removed++;
    await host.files.remove(path);
  }
  return { removed, bytes };
}
