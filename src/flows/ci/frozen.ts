import * as z from 'zod';
import type { Mirrors, Plan } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import { Git, type Host } from '../../host/index.ts';
import { buildPlan } from '../plan.ts';

const frozen = z.object({
  version: z.literal(1),
  plans: z.array(z.looseObject({ variant: z.string(), sourceDateEpoch: z.number().int().nonnegative() })),
  unchanged: z.array(z.object({ variant: z.string(), reference: z.string() })),
});

/**
 * FrozenPlans is the file that all machines of a run share: every variant's whole plan, made once, and the
 * variants whose inputs were published before, with the reference by digest.
 */
export interface FrozenPlans {
  readonly version: 1;
  readonly plans: readonly Plan[];
  readonly unchanged: readonly { readonly variant: string; readonly reference: string }[];
}

/** readFrozen reads the file and checks its form; a plan in it is used only after thawPlan has compared it. */
export async function readFrozen(host: Host, file: string): Promise<z.infer<typeof frozen>> {
  const text = await host.files.readText(file, 64 * 1024 * 1024);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new AppError('ci/plan-file', 'usage', 'the frozen plan is not JSON', { where: { file }, cause });
  }
  const result = frozen.safeParse(value);
  if (result.success) return result.data;
  throw new AppError('ci/plan-file', 'usage', 'malformed frozen plan', {
    expected: 'what `runner-image ci plan` writes',
    found: result.error.issues[0]?.message ?? 'malformed',
    where: { file },
  });
}

/** Paths at which two JSON values differ, at most a few of them. */
function differences(one: unknown, other: unknown, path = ''): string[] {
  if (Object.is(one, other)) return [];
  const isTree = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
  if (!isTree(one) || !isTree(other)) return [path];
  const keys = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  return keys.flatMap((key) => differences(one[key], other[key], path === '' ? key : `${path}.${key}`)).slice(0, 8);
}

async function head(host: Host, root: string): Promise<string | undefined> {
  try {
    return (await new Git(host, { directory: root }).ask(['rev-parse', '--verify', 'HEAD']))?.trim();
  } catch {
    // A work tree without git names no commit: the inputs are compared all the same.
    return undefined;
  }
}

export interface ThawOptions {
  readonly root: string;
  readonly variant: string;
  /** The frozen plans, absolute. */
  readonly file: string;
  readonly pinsFile?: string | undefined;
  readonly mirrors?: Mirrors | undefined;
}

/**
 * thawPlan returns a variant's plan for this machine. It is computed anew from the work tree, with the frozen
 * plan's commit and date, and has to come out the same in every member: so a machine with another checkout,
 * or a plan that was changed on the way, ends in `ci/plan-differs` instead of in another image.
 */
export async function thawPlan(host: Host, options: ThawOptions): Promise<Plan> {
  const { root, variant, file, pinsFile, mirrors } = options;
  const { plans } = await readFrozen(host, file);
  const found = plans.find((plan) => plan.variant === variant) as Plan | undefined;
  if (found === undefined)
    throw new AppError('ci/plan-file', 'usage', `the frozen plan has no variant ${JSON.stringify(variant)}`, {
      expected: plans.map((plan) => plan.variant).join(', '),
      where: { file },
    });
  const commit = String(found.buildArgs['GIT_COMMIT']);
  const env = { ...host.env, GIT_COMMIT: commit, SOURCE_DATE_EPOCH: String(found.sourceDateEpoch) };
  const here = { ...host, env };
  const own = await buildPlan(here, { root, variant, pinsFile });
  const differing = differences(found, JSON.parse(JSON.stringify(own)));
  const checkedOut = await head(host, root);
  if (checkedOut !== undefined && checkedOut !== commit.replace(/-dirty$/, '')) differing.push(`commit ${checkedOut}`);
  if (differing.length > 0)
    throw new AppError('ci/plan-differs', 'usage', `this work tree makes another ${variant} than the frozen plan`, {
      expected: `${found.inputDigest} of ${commit}`,
      found: differing.join(', '),
      where: { file },
      hint: 'check out the commit that the plan was made from; everything downstream of `ci plan` takes that one',
    });
  return mirrors === undefined ? own : await buildPlan(here, { root, variant, pinsFile, mirrors });
}
