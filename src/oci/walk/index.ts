export { defaultLimits, type WalkLimits } from './limits.ts';
export { walkImage, type WalkImage, type WalkOptions } from './walk.ts';
export { imageManifest, walkSource } from './walk-source.ts';
