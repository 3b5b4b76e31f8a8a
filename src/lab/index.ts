export { down, type DownOptions } from './down.ts';
export { labPaths, projectRoot, type LabPaths } from './paths.ts';
export { readLab, requireLab, type EngineKind, type LabImage, type LabState } from './state.ts';
export { isUp, up, type UpOptions } from './up.ts';
export { fetchTools, type Tool, type ToolName } from './tools.ts';
