import { exitCodes, type ExitCode } from '../../src/errors/index.ts';
import { propose as proposeGroup, summarise } from '../../src/flows/ci/index.ts';
import { examples, fileOption, printResult, stringOption, type Call, type Subcommand } from '../command.ts';

async function run(call: Call): Promise<ExitCode> {
  const { host, root } = call;
  const base = stringOption(call, 'base') ?? 'main';
  const done = await proposeGroup(host, { root, group: call.args[0] ?? '', from: fileOption(call, 'from'), base });
  const line =
    'number' in done
      ? `pull request #${done.number} ${done.$case}`
      : done.$case === 'nothing'
        ? 'nothing to propose'
        : `the branch is ${done.author}'s now, and left alone`;
  await summarise(host, line);
  printResult(call, done, line);
  return exitCodes.clean;
}

/** propose opens, updates or closes the one pull request of a group. */
export const propose: Subcommand = {
  summary: 'keep one pull request for a group of pins, derived from the facts of `ci bump`',
  define(command) {
    command
      .argument('<group>', 'the group that is proposed, as the workflow says')
      .requiredOption('--from <folder>', 'what `ci bump` wrote')
      .option('--base <branch>', 'the branch to merge into', 'main');
    examples(command, [['runner-image ci propose tools --from bump', 'opens, updates or closes bump/<group>']]);
  },
  run,
};
