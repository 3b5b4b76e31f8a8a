import { exitCodes, type ExitCode } from '../../src/errors/index.ts';
import { layoutDirectory } from '../../src/flows/build/index.ts';
import { compareWithPublished, summarise } from '../../src/flows/ci/index.ts';
import { examples, type Call } from '../command.ts';
import { planFor, planOption } from '../plan-option.ts';
import { surroundings } from '../surroundings.ts';
import type { CiStep } from './step.ts';
import { registryOf } from '../registry.ts';

async function run(call: Call): Promise<ExitCode> {
  const { host, root } = call;
  const variant = call.args[0] ?? '';
  const around = await surroundings(call);
  const done = await compareWithPublished(host, {
    plan: await planFor(call, variant, around),
    layout: layoutDirectory(root, variant),
    registry: registryOf(call, around.mirrors),
  });
  const text = done.$case === 'compared' ? done.section : `**${variant}** was not compared: ${done.because}`;
  await summarise(host, text);
  if (call.json) call.console.json(done);
  else call.console.document(text);
  return exitCodes.clean;
}

/** compare shows the reviewer what the built image changes; it lets nothing in and keeps nothing out. */
export const compare: CiStep = {
  summary: 'show in the summary what dist/<variant> changes against the published image',
  define(command) {
    command
      .argument('<variant>', 'variant in dist/<variant>')
      .option(...planOption)
      .option('--mirrors <file>', 'YAML with images: and urls:, prefix to prefix');
    examples(command, [['runner-image ci compare openshell --plan plan.json', 'size and packages, for the reviewer']]);
  },
  run,
};
