import { architectureOf, type Plan, type Platform } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import type { Registry } from '../../registry/index.ts';
import { builtInRegistry } from '../build/index.ts';
import { loadDefinitions, planVariant, variantNames } from '../plan.ts';
import type { CiEvent } from './event.ts';
import type { FrozenPlans } from './frozen.ts';

/** Destination is where a run's images may go. */
export type Destination =
  | { readonly $case: 'nowhere'; readonly because: string }
  /** Images that Quay deletes by itself (label quay.expires-after). */
  | { readonly $case: 'expiring'; readonly tags: readonly string[]; readonly expires: string }
  | { readonly $case: 'release'; readonly tags: readonly string[] };

/** How long images of a pull request live, in Quay's notation. */
export const pullRequestLife = '48h';

/** destinationOf decides from the event alone; foreign code never comes near a registry's credentials. */
export function destinationOf(event: CiEvent): Destination {
  switch (event.$case) {
    case 'pull-request':
      return event.trusted
        ? { $case: 'expiring', tags: [`pr-${event.number}`], expires: pullRequestLife }
        : { $case: 'nowhere', because: 'the pull request comes from a fork or a bot' };
    case 'merge-queue':
      return { $case: 'nowhere', because: 'the merge queue only tests' };
    case 'other-branch':
      return { $case: 'nowhere', because: 'only the default branch is published' };
    case 'default-branch':
      return { $case: 'release', tags: [event.commit, 'latest'] };
  }
}

/** GitHub's runner for each platform, native: emulated builds take four times as long and more. */
const runners: Readonly<Record<Platform, string>> = {
  'linux/amd64': 'ubuntu-24.04',
  'linux/arm64': 'ubuntu-24.04-arm',
};

export interface BuildJob {
  readonly variant: string;
  readonly platform: Platform;
  /** `amd64` or `arm64`: artifact names hold no slash. */
  readonly arch: string;
  readonly runner: string;
}

export interface CiPlan {
  readonly frozen: FrozenPlans;
  readonly destination: Destination;
  /** Variants to build; the others are unchanged. */
  readonly variants: readonly string[];
  readonly jobs: readonly BuildJob[];
  /** Variants whose tags move. A tag of a pull request on an image that lasts would last, too. */
  readonly tagged: readonly { readonly variant: string; readonly built: boolean }[];
}

export interface CiPlanOptions {
  readonly root: string;
  readonly event: CiEvent;
  readonly registry: Registry;
  /** Build what was published before, too. */
  readonly force?: boolean | undefined;
}

function checkCommit(plan: Plan, event: CiEvent): void {
  const found = plan.buildArgs['GIT_COMMIT'];
  if (found === event.commit) return;
  throw new AppError('ci/commit', 'usage', 'the work tree is not the commit that this run is about', {
    expected: event.commit,
    found: found === undefined || found === '' ? 'no commit' : found,
    hint: 'check out the head of the pull request, not its merge commit, and change nothing before the plan',
  });
}

/** publishedBefore returns the variants that the registry holds already, from the same inputs. */
async function publishedBefore(
  host: Host,
  registry: Registry,
  plans: readonly Plan[],
): Promise<FrozenPlans['unchanged']> {
  const looks = plans.map(async (plan) => {
    const found = await builtInRegistry(host, registry, plan.repository, plan);
    return found === undefined ? [] : [{ variant: plan.variant, reference: found.reference }];
  });
  return (await Promise.all(looks)).flat();
}

/**
 * ciPlan makes every variant's plan once for all machines of a run, and leaves out of the building what the
 * registry holds already from the same inputs. Throws `ci/commit` when the checkout is another commit than
 * the event's: the revision label is the commit that was built.
 */
export async function ciPlan(host: Host, { root, event, registry, force }: CiPlanOptions): Promise<CiPlan> {
  const definitions = await loadDefinitions(host, root);
  const plans: Plan[] = [];
  for (const variant of variantNames(definitions)) plans.push(await planVariant(host, definitions, { root, variant }));
  for (const plan of plans) checkCommit(plan, event);
  const unchanged = force === true ? [] : await publishedBefore(host, registry, plans);
  const toBuild = plans.filter(({ variant }) => !unchanged.some((known) => known.variant === variant));
  const destination = destinationOf(event);
  const built = toBuild.map(({ variant }) => ({ variant, built: true }));
  const others = unchanged.map(({ variant }) => ({ variant, built: false }));
  const tagged = { nowhere: [], expiring: built, release: [...built, ...others] };
  return {
    frozen: { version: 1, plans, unchanged },
    destination,
    tagged: tagged[destination.$case],
    variants: toBuild.map(({ variant }) => variant),
    jobs: toBuild.flatMap(({ variant, platforms }) =>
      platforms.map((platform) => ({ variant, platform, arch: architectureOf(platform), runner: runners[platform] })),
    ),
  };
}
