import type { Plan } from '../src/core/index.ts';
import { exitCodes } from '../src/errors/index.ts';
import { loadDefinitions, planVariant, variantNames } from '../src/flows/plan.ts';
import { examples, pathOption, printResult, stringOption, type CommandModule } from './command.ts';
import { runnerSourceOption } from './plan-option.ts';

function runnerText({ digest, commit, dirty, files }: NonNullable<Plan['runnerSource']>): string {
  return `  runner      ${files} files, ${digest}, of ${commit}${dirty ? '-dirty' : ''}`;
}

function detailsOf({ platforms, base, dockerfile, runnerSource, pins, context, omitted }: Plan): string[] {
  return [
    `  platforms   ${platforms.join(', ')}`,
    `  base        ${base.reference}`,
    `  dockerfile  ${dockerfile.path}`,
    ...(runnerSource === undefined ? [] : [runnerText(runnerSource)]),
    ...pins.map((pin) => `  pin         ${pin.name}${'version' in pin ? ` ${pin.version}` : ''}`),
    // A folder's own files, a hundred and more, are one line above.
    ...context.flatMap(({ path, digest, root }) => (root === undefined ? [`  file        ${path}  ${digest}`] : [])),
    ...omitted.map(({ name, reason }) => `  left out    ${name}: ${reason}`),
  ];
}

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
    const runnerSource = pathOption(call, 'runnerSource');
    const plans: Plan[] = [];
    for (const variant of names)
      plans.push(await planVariant(call.host, definitions, { root: call.root, variant, runnerSource }));
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
