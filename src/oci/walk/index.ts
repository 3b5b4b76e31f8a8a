export { defaultLimits, type WalkLimits } from './limits.ts';
export { walkImage, type WalkImage, type WalkOptions } from './walk.ts';
export { imageManifest, walkSource, type OtherManifest } from './walk-source.ts';
export { walkArchive } from './walk-archive.ts';
