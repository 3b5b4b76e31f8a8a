import { layerOrigin } from './blame.ts';
import type { RuleContext } from './context.ts';

export interface SizeFacts {
  /** Bytes of all layers as they are pulled. */
  readonly compressed: number;
  /** Bytes of all layers' tar streams. */
  readonly uncompressed: number;
  /** The ten largest files of the final file system. */
  readonly largest: readonly { readonly path: string; readonly size: number; readonly layer: number }[];
  /** Bytes of files that a later layer overwrote or deleted. */
  readonly wasted: number;
  /** Layers whose overwriting or deleting wasted most, ten at most; by the files that the picture names. */
  readonly wastedBy: readonly {
    readonly layer: number;
    readonly size: number;
    readonly createdBy?: string | undefined;
  }[];
}

const top = 10;

/** sizeFacts returns the image's sizes in bytes, and what later layers overwrote or deleted. */
export function sizeFacts({ picture, census }: Pick<RuleContext, 'picture' | 'census'>): SizeFacts {
  const by = new Map<number, number>();
  for (const item of picture.shadowed) by.set(item.by, (by.get(item.by) ?? 0) + item.size);
  const wastedBy = [...by]
    .filter(([, size]) => size > 0)
    .sort((a, b) => b[1] - a[1])
    .slice(0, top)
    .map(([layer, size]) => {
      const { createdBy } = layerOrigin(picture, layer);
      return { layer, size, createdBy };
    });
  return {
    compressed: picture.layers.reduce((sum, layer) => sum + layer.size, 0),
    uncompressed: picture.layers.reduce((sum, layer) => sum + layer.uncompressedSize, 0),
    largest: census.largest,
    wasted: picture.shadowedTotal.bytes,
    wastedBy,
  };
}
