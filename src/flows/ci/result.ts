import * as z from 'zod';
import { AppError } from '../../errors/index.ts';

const results = ['success', 'failure', 'cancelled', 'skipped'] as const;
const needs = z.record(
  z.string(),
  z.object({ result: z.enum(results), outputs: z.record(z.string(), z.string()).optional() }),
);

/** Jobs of build.yml, and when each of them has to run; anything else in `needs` must have succeeded. */
const expected: Readonly<Record<string, (outputs: Readonly<Record<string, string>>) => boolean>> = {
  plan: () => true,
  build: ({ build }) => build === 'true',
  gate: ({ build }) => build === 'true',
  publish: ({ build, push }) => build === 'true' && push !== 'nowhere',
  digests: ({ build, push }) => build === 'true' && push === 'release',
  sign: ({ build, push }) => build === 'true' && push === 'release',
  tags: ({ tag }) => tag === 'true',
};

/**
 * judgeNeeds reads `toJSON(needs)` of the last job: each job that had to run succeeded, each other one was
 * skipped. It returns the problems, one line each. A skipped job counts as passed to GitHub, also when it was
 * skipped because one before it failed: so it is the plan that says what may be skipped. Throws `ci/needs`.
 */
export function judgeNeeds(text: string): readonly string[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new AppError('ci/needs', 'usage', 'NEEDS is not JSON', { expected: 'toJSON(needs)', cause });
  }
  const parsed = needs.safeParse(value);
  if (!parsed.success)
    throw new AppError('ci/needs', 'usage', 'NEEDS is not the JSON of toJSON(needs)', {
      found: parsed.error.issues[0]?.message ?? 'malformed',
    });
  const jobs = parsed.data;
  const outputs = jobs['plan']?.outputs ?? {};
  const missing = Object.keys(expected).filter((job) => jobs[job] === undefined);
  const answers = { build: ['true', 'false'], push: ['nowhere', 'expiring', 'release'], tag: ['true', 'false'] };
  const unknown = Object.entries(answers).flatMap(([name, allowed]) =>
    allowed.includes(outputs[name] ?? '') ? [] : [`plan: its output ${name} is none of ${allowed.join(', ')}`],
  );
  return [
    ...missing.map((job) => `${job}: not among the jobs that were waited for`),
    ...unknown,
    ...Object.entries(jobs).flatMap(([job, { result }]) => {
      const wanted = (expected[job]?.(outputs) ?? true) ? 'success' : 'skipped';
      return result === wanted
        ? []
        : [`${job}: ${result}, but had to be ${wanted === 'success' ? 'a success' : wanted}`];
    }),
  ];
}
