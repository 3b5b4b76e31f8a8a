export { walkImage, type WalkOptions } from './walk.ts';
export { imageManifest, walkSource } from './walk-source.ts';
