import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Plan } from '../src/core/index.ts';
import { AppError } from '../src/errors/index.ts';
import { thawPlan } from '../src/flows/ci/frozen.ts';
import { rememberedPlan } from '../src/flows/plan-memo.ts';
import { buildPlan } from '../src/flows/plan.ts';
import { pathOption, platformsOption, type Call } from './command.ts';
import type { Environment } from './environment-options.ts';

export const planOption = ['--plan <file>', 'a frozen plan (ci plan): refuse inputs that differ from it'] as const;

export const runnerSourceOption = [
  '--runner-source <dir>',
  "the runner's source from a folder of a git work tree, instead of its pin",
] as const;

/** The bundle, which keeps what it planned; a run from the sources plans afresh. */
function bundle(): { readonly directory: string; readonly program: string } | undefined {
  const directory = import.meta.dirname;
  const found = statSync(join(directory, 'runner-image.cjs'), { throwIfNoEntry: false });
  return found === undefined ? undefined : { directory, program: `${found.size} ${found.mtimeMs}` };
}

/**
 * planFor returns the plan of the work tree, held against the frozen one where `--plan` names it. In CI, where
 * everything is made once, nothing is remembered.
 */
export async function planFor(call: Call, variant: string, environment: Environment): Promise<Plan> {
  const file = pathOption(call, 'plan');
  const { runnerSource } = environment;
  const options = { root: call.root, variant, ...environment };
  if (file !== undefined && runnerSource !== undefined)
    throw new AppError('cli/usage', 'usage', '--runner-source and --plan contradict each other', {
      hint: 'a frozen plan names its runner: leave one of them out',
    });
  if (file !== undefined) return await thawPlan(call.host, { ...options, file });
  // What is remembered is of the project's own files.
  const place = (call.host.env['CI'] ?? '') === '' && runnerSource === undefined ? bundle() : undefined;
  return place === undefined ? await buildPlan(call.host, options) : await rememberedPlan(call.host, options, place);
}

/**
 * narrowedPlanFor leaves the platforms that `--platform` names. What goes in stays the same, and so does its digest: the
 * index says for which platforms it was built.
 */
export async function narrowedPlanFor(call: Call, variant: string, environment: Environment): Promise<Plan> {
  const plan = await planFor(call, variant, environment);
  return { ...plan, platforms: platformsOption(call) ?? plan.platforms };
}
