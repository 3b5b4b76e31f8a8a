import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Plan } from '../src/core/index.ts';
import { AppError } from '../src/errors/index.ts';
import { rememberedPlan } from '../src/flows/plan-memo.ts';
import { fromHere, stringOption, type Call } from './command.ts';
import type { Surroundings } from './surroundings.ts';

export const planOption = ['--plan <file>', 'a frozen plan (ci plan): refuse inputs that differ from it'] as const;

export const runnerSourceOption = [
  '--runner-source <dir>',
  "the runner's source from a folder of a git work tree, instead of its pin",
] as const;

/** runnerSourceOf returns the folder of --runner-source, absolute. */
export function runnerSourceOf(call: Call): string | undefined {
  const folder = stringOption(call, 'runnerSource');
  return folder === undefined ? undefined : fromHere(folder);
}

/** The bundle, which keeps what it planned; a run from the sources plans afresh. */
function bundle(): { readonly directory: string; readonly program: string } | undefined {
  const directory = import.meta.dirname;
  const entry = join(directory, 'runner-image.cjs');
  const found = statSync(entry, { throwIfNoEntry: false });
  return found === undefined ? undefined : { directory, program: `${found.size} ${found.mtimeMs}` };
}

/**
 * planFor gives the plan of the work tree, held against the frozen one where `--plan` names it. In CI,
 * where everything is made once, nothing is remembered.
 */
export async function planFor(call: Call, variant: string, around: Surroundings): Promise<Plan> {
  const frozen = stringOption(call, 'plan');
  const { runnerSource } = around;
  const options = { root: call.root, variant, ...around };
  if (frozen !== undefined) {
    if (runnerSource !== undefined)
      throw new AppError('cli/usage', 'usage', '--runner-source and --plan contradict each other', {
        hint: 'a frozen plan names its runner: leave one of them out',
      });
    const { thawPlan } = await import('../src/flows/ci/index.ts');
    return await thawPlan(call.host, { ...options, file: fromHere(frozen) });
  }
  // What is remembered is of the project's own files.
  const place = (call.host.env['CI'] ?? '') === '' && runnerSource === undefined ? bundle() : undefined;
  if (place !== undefined) return await rememberedPlan(call.host, options, place);
  const { buildPlan } = await import('../src/flows/plan.ts');
  return await buildPlan(call.host, options);
}
