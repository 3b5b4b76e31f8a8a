import { bump } from './ci/bump.ts';
import { compare } from './ci/compare.ts';
import { digests } from './ci/digests.ts';
import { groups } from './ci/groups.ts';
import { plan } from './ci/plan.ts';
import { propose } from './ci/propose.ts';
import { release } from './ci/release.ts';
import { result } from './ci/result.ts';
import { tag } from './ci/tag.ts';
import { watch } from './ci/watch.ts';
import { watchIdentity } from './ci/watch-identity.ts';
import type { CommandModule } from './command.ts';

export const command: CommandModule = {
  define: () => undefined,
  subcommands: {
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
    'watch-identity': watchIdentity,
  },
};
