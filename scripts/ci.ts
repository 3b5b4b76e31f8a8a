import { bump } from './ci/bump.ts';
import { compare } from './ci/compare.ts';
import { digests } from './ci/digests.ts';
import { groups } from './ci/groups.ts';
import { plan } from './ci/plan.ts';
import { propose } from './ci/propose.ts';
import { release } from './ci/release.ts';
import { result } from './ci/result.ts';
import type { CiStep } from './ci/step.ts';
import { tag } from './ci/tag.ts';
import { watch } from './ci/watch.ts';
import { watchIdentityStep } from './ci/watch-identity.ts';
import type { CommandModule } from './command.ts';
import { AppError } from '../src/errors/index.ts';

const steps: Readonly<Record<string, CiStep>> = {
  plan,
  compare,
  digests,
  tag,
  release,
  result,
  groups,
  bump,
  propose,
  watch,
  'watch-identity': watchIdentityStep,
};

export const command: CommandModule = {
  define(command) {
    for (const [name, step] of Object.entries(steps)) {
      const subcommand = command.command(name).description(step.summary);
      step.define?.(subcommand);
      // What was named is run by runner-image.ts, as every command is.
      subcommand.action(() => undefined);
    }
  },
  async run(call) {
    const step = steps[call.subcommand ?? ''];
    if (step !== undefined) return await step.run(call);
    throw new AppError('cli/usage', 'usage', 'ci needs a subcommand', { expected: Object.keys(steps).join(', ') });
  },
};
