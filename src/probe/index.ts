export { checks } from './checks/index.ts';
export { connectDocker, dockerEngine, type DockerFactory } from './docker.ts';
export type { ContainerEngine, ContainerSpec, Process, Running } from './engine.ts';
export { probe, probeHealth, removeStrays } from './probe.ts';
export { rules as probeRules } from './rules.ts';
export { probeLabel } from './start.ts';
export type { CheckOutcome, ProbeOptions, ProbeReport } from './types.ts';
