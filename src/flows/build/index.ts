export { buildLayout, layoutDirectory, type BuildOptions, type BuildResult, type PlatformBuild } from './build.ts';
export { chooseEngine, type EngineChoice } from './engine.ts';
export { builtLayout, inputTag } from './unchanged.ts';
