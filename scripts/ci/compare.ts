import { exitCodes, type ExitCode } from '../../src/errors/index.ts';
import { layoutDirectory } from '../../src/flows/build/index.ts';
import { compareWithPublished, summarise } from '../../src/flows/ci/index.ts';
import { examples, printResult, type Call, type Subcommand } from '../command.ts';
import { planFor, planOption } from '../plan-option.ts';
import { mirrorsOption, readEnvironment } from '../environment-options.ts';

async function run(call: Call): Promise<ExitCode> {
  const { host, root } = call;
  const variant = call.args[0] ?? '';
  const environment = await readEnvironment(call);
  const done = await compareWithPublished(host, {
    plan: await planFor(call, variant, environment),
    layout: layoutDirectory(root, variant),
    registry: environment.registry,
  });
  const text = done.$case === 'compared' ? done.section : `**${variant}** was not compared: ${done.because}`;
  await summarise(host, text);
  printResult(call, done, text);
  return exitCodes.clean;
}

/** compare shows the reviewer what the built image changes; it lets nothing in and keeps nothing out. */
export const compare: Subcommand = {
  summary: 'show in the summary what dist/<variant> changes against the published image',
  define(command) {
    command.argument('<variant>', 'variant in dist/<variant>').option(...planOption);
    mirrorsOption(command);
    examples(command, [['runner-image ci compare openshell --plan plan.json', 'size and packages, for the reviewer']]);
  },
  run,
};
