export { annotationsOf } from './annotations.ts';
export { buildLayout, type BuildResult } from './build.ts';
export type { BuildOptions } from './options.ts';
export { chooseEngine, type EngineChoice } from './engine.ts';
export { inputTag, layoutDirectory } from './names.ts';
export { builtInRegistry, builtLayout } from './unchanged.ts';
