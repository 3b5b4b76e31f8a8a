import type { Check } from '../types.ts';
import { bridges, otherPort, unknownType } from './containers.ts';
import { capabilitiesCheck, health } from './endpoints.ts';
import { secretsInLogs, sigterm, zombies } from './ending.ts';
import { environment } from './environment.ts';
import { events } from './events.ts';
import { interrupt } from './interrupt.ts';
import { run } from './run.ts';

/** checks is the conformance suite, in order: what ends the shared container and reads all logs is last. */
export const checks: readonly Check[] = [
  health,
  capabilitiesCheck,
  environment,
  run,
  events,
  interrupt,
  zombies,
  sigterm,
  otherPort,
  bridges,
  unknownType,
  secretsInLogs,
];
