import { exitCodes } from '../src/errors/index.ts';
import { layoutDirectory } from '../src/flows/build/index.ts';
import { joinLayouts } from '../src/flows/join.ts';
import {
  collect,
  examples,
  fromHere,
  listOption,
  pathOption,
  printResult,
  stringOption,
  type CommandModule,
} from './command.ts';
import { planFor, planOption, runnerSourceOption } from './plan-option.ts';
import { environmentOptions, readEnvironment } from './environment-options.ts';

export const command: CommandModule = {
  define(command) {
    command
      .argument('<variant>', 'variant whose platforms were built apart')
      .requiredOption('--from <layout>', 'a layout with one or more platforms; again for each', collect)
      .option('--output <layout>', 'where the whole goes; dist/<variant> otherwise')
      .option('--expires-after <time>', 'the quay.expires-after that every platform must carry')
      .option(...planOption)
      .option(...runnerSourceOption);
    environmentOptions(command);
    examples(command, [
      [
        'runner-image join openshell --from amd64 --from arm64',
        'one index in dist/openshell out of two machines’ builds',
      ],
    ]);
  },
  async run(call) {
    const variant = call.args[0] ?? '';
    const plan = await planFor(call, variant, await readEnvironment(call));
    const layout = pathOption(call, 'output') ?? layoutDirectory(call.root, variant);
    const from = listOption(call, 'from').map(fromHere);
    const expires = stringOption(call, 'expiresAfter');
    const index = await joinLayouts(call.host, { plan, layout, from, expires });
    printResult(call, { index, layout }, `joined ${index.digest} in ${layout}: ${plan.platforms.join(', ')}`);
    return exitCodes.clean;
  },
};
