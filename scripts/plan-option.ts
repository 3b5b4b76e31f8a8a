import { isAbsolute, join } from 'node:path';
import type { Plan } from '../src/core/index.ts';
import { thawPlan } from '../src/flows/ci/index.ts';
import { buildPlan } from '../src/flows/plan.ts';
import { stringOption, type Call } from './command.ts';
import type { Surroundings } from './surroundings.ts';

export const planOption = ['--plan <file>', 'a frozen plan (ci plan): refuse inputs that differ from it'] as const;

/** fromHere makes a path on the command line absolute. */
export const fromHere = (path: string): string => (isAbsolute(path) ? path : join(process.cwd(), path));

/** planFor gives the plan of the work tree, held against the frozen one where `--plan` names it. */
export async function planFor(call: Call, variant: string, around: Surroundings): Promise<Plan> {
  const frozen = stringOption(call, 'plan');
  const options = { root: call.root, variant, ...around };
  return frozen === undefined
    ? await buildPlan(call.host, options)
    : await thawPlan(call.host, { ...options, file: fromHere(frozen) });
}
