export { defaultLimits, type WalkLimits } from './limits.ts';
export { walkImage, type WalkImage, type WalkOptions } from './walk.ts';
export { walkSource } from './walk-source.ts';
