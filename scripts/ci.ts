import { AppError, type ExitCode } from '../src/errors/index.ts';
import { collect, examples, type Call, type CommandModule } from './command.ts';
import { planOption } from './plan-option.ts';
import { surroundingsOptions } from './surroundings.ts';
import { trustOptions } from './trust.ts';

/** Each step is loaded when it runs. */
const steps: Record<string, () => Promise<{ step: (call: Call) => Promise<ExitCode> }>> = {
  plan: () => import('./ci/plan.ts'),
  check: () => import('./ci/check.ts'),
  gate: () => import('./ci/gate.ts'),
  compare: () => import('./ci/compare.ts'),
  digests: () => import('./ci/digests.ts'),
  publish: () => import('./ci/publish.ts'),
  tag: () => import('./ci/tag.ts'),
  release: () => import('./ci/release.ts'),
  result: () => import('./ci/result.ts'),
  groups: () => import('./ci/groups.ts'),
  bump: () => import('./ci/bump.ts'),
  propose: () => import('./ci/propose.ts'),
  watch: () => import('./ci/watch.ts'),
};

export const command: CommandModule = {
  define(command) {
    command
      .argument('<step>', Object.keys(steps).join(', '))
      .argument('[variant]', 'for check, gate, compare, publish and tag; the group of pins for bump')
      .option('--output <file>', 'plan, check, gate: where the result is written; bump: a folder for it')
      .option('--from <folder>', 'propose: what `ci bump` wrote')
      .option('--base <branch>', 'propose: the branch to merge into', 'main')
      .option('--revision <commit>', 'plan: the commit, elsewhere than on GitHub; nothing is published then')
      .option('--force', 'plan: also build what was published from the same inputs')
      .option('--platform <name>', 'check: the platform that this machine runs natively')
      .option('--record <file>', 'gate: what `ci check` wrote; again for each platform', collect)
      .option('--gate <file>', 'publish, tag: what `ci gate` wrote')
      .option('--gates <folder>', 'digests: what `ci gate` wrote for every variant')
      .option('--tag <list>', 'tag: the tags to move')
      .option('--dry-run', 'watch: tell what was found, open no issue')
      .option('--offline', 'watch: ask no upstream')
      .option(...planOption);
    surroundingsOptions(command);
    trustOptions(command);
    examples(command, [
      ['runner-image ci plan --output plan.json', 'every plan, frozen; outputs for the matrices of build.yml'],
      ['runner-image ci check openshell --platform linux/arm64 --output arm64.json', 'the suite on a native machine'],
      ['runner-image ci gate openshell --plan plan.json --record amd64.json --record arm64.json', 'all or nothing'],
      ['runner-image ci watch --dry-run', 'what the daily watch would open an issue about'],
    ]);
  },
  async run(call) {
    const [name] = call.args;
    const load = name !== undefined && Object.hasOwn(steps, name) ? steps[name] : undefined;
    if (load === undefined)
      throw new AppError('cli/usage', 'usage', `unknown step ${JSON.stringify(name ?? '')}`, {
        expected: Object.keys(steps).join(', '),
      });
    return await (await load()).step(call);
  },
};
