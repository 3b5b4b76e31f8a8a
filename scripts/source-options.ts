import type { Command } from 'commander';
import { AppError } from '../src/errors/index.ts';
import { expectedSource, type TrustPolicy } from '../src/sigstore/index.ts';
import { stringOption, type Call } from './command.ts';

/** sourceOptions adds which source the provenance has to state. */
export function sourceOptions(command: Command): void {
  command
    .option('--source-repository <url>', 'the repository that the provenance has to name: https://github.com/o/r')
    .option('--source-commit <sha>', 'the commit that the provenance has to name, 40 hex digits');
}

/** withSource adds the expected source to a policy. Throws `cli/policy` for one that the policy contradicts. */
export function withSource(call: Call, policy: TrustPolicy): TrustPolicy {
  const given = { repository: stringOption(call, 'sourceRepository'), commit: stringOption(call, 'sourceCommit') };
  if (given.repository === undefined && given.commit === undefined) return policy;
  const bad = (expected: string, found: string): AppError =>
    new AppError('cli/policy', 'usage', 'the expected source cannot be used', { expected, found });
  for (const name of ['repository', 'commit'] as const) {
    const [stated, wanted] = [policy.source?.[name], given[name]];
    if (stated !== undefined && wanted !== undefined && stated !== wanted)
      throw bad(`${stated}, as the policy says`, wanted);
  }
  const source = {
    ...policy.source,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  };
  const read = expectedSource.source.safeParse(source);
  if (read.success) return { ...policy, source: read.data };
  throw bad('an address, and a whole commit', read.error.issues.map(({ message }) => message).join('; '));
}
