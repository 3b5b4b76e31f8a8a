import type { Running } from '../engine.ts';
import { Unobserved, type Probe } from '../types.ts';

/** urlOf throws Unobserved for a container without a published port. */
export function urlOf(probe: Probe, running: Running = probe.runner): string {
  if (running.url === undefined) throw new Unobserved('the engine published no port');
  return running.url;
}
