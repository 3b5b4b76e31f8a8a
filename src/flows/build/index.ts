export { annotationsOf } from './annotations.ts';
export { buildLayout, layoutDirectory, type BuildOptions, type BuildResult, type PlatformBuild } from './build.ts';
export { chooseEngine, type EngineChoice } from './engine.ts';
export { builtInRegistry, builtLayout, inputTag } from './unchanged.ts';
