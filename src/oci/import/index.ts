export type { BaseImage, BaseProof } from './base.ts';
export { openKnownLayers, type KnownLayers } from './known-layers.ts';
export { importArchive, type ImportedImage, type ImportRequest } from './import.ts';
export { writeImageIndex } from './write-index.ts';
