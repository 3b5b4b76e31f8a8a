import type { Plan } from '../src/core/index.ts';
import { exitCodes } from '../src/errors/index.ts';
import { loadDefinitions, planVariant, variantNames } from '../src/flows/plan.ts';
import { examples, printResult, stringOption, type CommandModule } from './command.ts';

function detailsOf({ platforms, base, dockerfile, pins, context, omitted }: Plan): string[] {
  return [
    `  platforms   ${platforms.join(', ')}`,
    `  base        ${base.reference}`,
    `  dockerfile  ${dockerfile.path}`,
    ...pins.map((pin) => `  pin         ${pin.name}${'version' in pin ? ` ${pin.version}` : ''}`),
    ...context.map(({ path, digest }) => `  file        ${path}  ${digest}`),
    ...omitted.map(({ name, reason }) => `  left out    ${name}: ${reason}`),
  ];
}

export const command: CommandModule = {
  define(parser) {
    parser.argument('[variant]', 'one variant; all of them without it');
    parser.option('--pins <file>', 'another pins file, relative to the project or absolute');
    examples(parser, [
      ['runner-image plan', 'every variant with its input digest'],
      ['runner-image plan openshell --json', 'the whole plan that build takes'],
    ]);
  },
  async run(call) {
    const definitions = await loadDefinitions(call.host, call.root, stringOption(call, 'pins'));
    const [chosen] = call.args;
    const names = chosen === undefined ? variantNames(definitions) : [chosen];
    const plans: Plan[] = [];
    for (const variant of names) plans.push(await planVariant(call.host, definitions, { root: call.root, variant }));
    const headline = ({ variant, inputDigest }: Plan): string => `${variant}  ${inputDigest}`;
    if (chosen === undefined) printResult(call, plans, plans.map(headline));
    else
      printResult(
        call,
        plans[0],
        plans.flatMap((plan) => [headline(plan), ...detailsOf(plan)]),
      );
    return exitCodes.clean;
  },
};
