import type { Picture } from '../core/index.ts';
import { layerOrigin } from './blame.ts';

export interface SizeFacts {
  /** Bytes of all layers as they are pulled. */
  readonly compressed: number;
  /** Bytes of all layers' tar streams. */
  readonly uncompressed: number;
  /** The ten largest files of the final file system. */
  readonly largest: readonly { readonly path: string; readonly size: number; readonly layer: number }[];
  /** Bytes of files that a later layer overwrote or deleted. */
  readonly wasted: number;
  /** Layers whose overwriting or deleting wasted most, ten at most. */
  readonly wastedBy: readonly { readonly layer: number; readonly size: number; readonly createdBy?: string }[];
}

const top = 10;

/** largestFiles keeps ten while it walks, so that it costs no second list of all paths. */
function largestFiles(picture: Picture): SizeFacts['largest'] {
  const kept: { path: string; size: number; layer: number }[] = [];
  for (const [path, { type, size, layer }] of picture.tree) {
    if (type !== 'file' || size <= (kept[top - 1]?.size ?? 0)) continue;
    kept.push({ path, size, layer });
    kept.sort((a, b) => b.size - a.size || (a.path < b.path ? -1 : 1));
    kept.length = Math.min(kept.length, top);
  }
  return kept;
}

export function sizeFacts(picture: Picture): SizeFacts {
  const by = new Map<number, number>();
  for (const item of picture.shadowed) by.set(item.by, (by.get(item.by) ?? 0) + item.size);
  const wastedBy = [...by]
    .filter(([, size]) => size > 0)
    .sort((a, b) => b[1] - a[1])
    .slice(0, top)
    .map(([layer, size]) => {
      const { createdBy } = layerOrigin(picture, layer);
      return { layer, size, ...(createdBy === undefined ? {} : { createdBy }) };
    });
  return {
    compressed: picture.layers.reduce((sum, layer) => sum + layer.size, 0),
    uncompressed: picture.layers.reduce((sum, layer) => sum + layer.uncompressedSize, 0),
    largest: largestFiles(picture),
    wasted: picture.shadowed.reduce((sum, item) => sum + item.size, 0),
    wastedBy,
  };
}

/** formatBytes gives `231.0 MB` (decimal units, as registries print them). */
export function formatBytes(bytes: number): string {
  for (const [unit, size] of [
    ['GB', 1e9],
    ['MB', 1e6],
    ['kB', 1e3],
  ] as const)
    if (bytes >= size) return `${(bytes / size).toFixed(1)} ${unit}`;
  return `${bytes} B`;
}
