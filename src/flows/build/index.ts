export { annotationsOf } from './annotations.ts';
export { buildLayout, type BuildOptions, type BuildResult, type PlatformBuild } from './build.ts';
export { chooseEngine, type EngineChoice } from './engine.ts';
export { inputTag, layoutDirectory } from './names.ts';
export { builtInRegistry, builtLayout } from './unchanged.ts';
