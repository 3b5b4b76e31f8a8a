import { exitCodes } from '../src/errors/index.ts';
import { loadDefinitions, planVariant, variantNames } from '../src/flows/plan.ts';
import { runnerSourceOf, runnerSourceOption } from './plan-option.ts';
import { examples, stringOption, type CommandModule } from './command.ts';

export const command: CommandModule = {
  define(parser) {
    parser.argument('[variant]', 'one variant; all of them without it');
    parser.option('--pins <file>', 'another pins file, relative to the project or absolute');
    parser.option(...runnerSourceOption);
    examples(parser, [
      ['runner-image plan', 'every variant with its input digest'],
      ['runner-image plan openshell --json', 'the whole plan that build takes'],
    ]);
  },
  async run(call) {
    const definitions = await loadDefinitions(call.host, call.root, stringOption(call, 'pins'));
    const [chosen] = call.args;
    const names = chosen === undefined ? variantNames(definitions) : [chosen];
    const runnerSource = runnerSourceOf(call);
    const plans = [];
    for (const variant of names)
      plans.push(await planVariant(call.host, definitions, { root: call.root, variant, runnerSource }));
    if (call.json) {
      call.console.json(chosen === undefined ? plans : plans[0]);
      return exitCodes.clean;
    }
    for (const plan of plans) {
      call.console.print(`${plan.variant}  ${plan.inputDigest}`);
      if (chosen === undefined) continue;
      call.console.print(`  platforms   ${plan.platforms.join(', ')}`);
      call.console.print(`  base        ${plan.base.reference}`);
      call.console.print(`  dockerfile  ${plan.dockerfile.path}`);
      if (plan.runnerSource !== undefined) {
        const { digest, commit, dirty, files } = plan.runnerSource;
        call.console.print(`  runner      ${files} files, ${digest}, of ${commit}${dirty ? '-dirty' : ''}`);
      }
      for (const pin of plan.pins)
        call.console.print(`  pin         ${pin.name}${'version' in pin ? ` ${pin.version}` : ''}`);
      // A folder's own files, a hundred and more, are one line above.
      for (const file of plan.context)
        if (file.root === undefined) call.console.print(`  file        ${file.path}  ${file.digest}`);
      for (const { name, reason } of plan.omitted) call.console.print(`  left out    ${name}: ${reason}`);
    }
    return exitCodes.clean;
  },
};
