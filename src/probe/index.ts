export { containerEngine } from './docker.ts';
export type { ContainerEngine, ContainerSpec, Process, Running } from './engine.ts';
export { probe, probeHealth } from './probe.ts';
export { rules as probeRules } from './rules.ts';
export { probeLabel } from './start.ts';
export type { ProbeOptions, ProbeReport } from './types.ts';
