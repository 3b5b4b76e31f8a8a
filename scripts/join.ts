import { exitCodes } from '../src/errors/index.ts';
import { layoutDirectory } from '../src/flows/build/index.ts';
import { joinLayouts } from '../src/flows/join.ts';
import { collect, examples, fromHere, listOption, stringOption, type CommandModule } from './command.ts';
import { planFor, planOption, runnerSourceOption } from './plan-option.ts';
import { surroundings, surroundingsOptions } from './surroundings.ts';

export const command: CommandModule = {
  define(command) {
    command
      .argument('<variant>', 'variant whose platforms were built apart')
      .requiredOption('--from <layout>', 'a layout with one or more platforms; again for each', collect)
      .option('--output <layout>', 'where the whole goes; dist/<variant> otherwise')
      .option('--expires-after <time>', 'the quay.expires-after that every platform must carry')
      .option(...planOption)
      .option(...runnerSourceOption);
    surroundingsOptions(command);
    examples(command, [
      [
        'runner-image join openshell --from amd64 --from arm64',
        'one index in dist/openshell out of two machines’ builds',
      ],
    ]);
  },
  async run(call) {
    const variant = call.args[0] ?? '';
    const plan = await planFor(call, variant, await surroundings(call));
    const output = stringOption(call, 'output');
    const layout = output === undefined ? layoutDirectory(call.root, variant) : fromHere(output);
    const expires = stringOption(call, 'expiresAfter');
    const index = await joinLayouts(call.host, {
      plan,
      layout,
      from: listOption(call, 'from').map(fromHere),
      expires,
    });
    if (call.json) call.console.json({ index, layout });
    else call.console.print(`joined ${index.digest} in ${layout}: ${plan.platforms.join(', ')}`);
    return exitCodes.clean;
  },
};
