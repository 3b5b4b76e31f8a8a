export type { DownOptions } from './down.ts';
export { labPaths, projectRoot, type LabPaths } from './paths.ts';
export { readLab, type EngineKind, type LabImage, type LabState } from './state.ts';
export { isUp, up, type UpOptions } from './up.ts';
export type { Tool, ToolName } from './tools.ts';
