import { exitCodes, type ExitCode } from '../../src/errors/index.ts';
import { ciPlan, readEvent, setOutputs, summarise, type CiEvent, type CiPlan } from '../../src/flows/ci/index.ts';
import { createRegistry } from '../../src/registry/index.ts';
import { examples, fileOption, flag, printResult, stringOption, type Call, type Subcommand } from '../command.ts';

function markdown({ frozen, variants, destination }: CiPlan): string {
  const rows = frozen.plans.map(({ variant, inputDigest, platforms }) => {
    const reference = frozen.unchanged.find((found) => found.variant === variant)?.reference;
    return `| ${variant} | ${platforms.join(', ')} | \`${inputDigest.slice(0, 19)}\` | ${reference === undefined ? 'to build' : `unchanged: \`${reference}\``} |`;
  });
  const goes =
    destination.$case === 'nowhere' ? `nothing is pushed: ${destination.because}` : destination.tags.join(', ');
  return [
    `### ${variants.length} of ${frozen.plans.length} variants to build (${goes})`,
    '',
    '| variant | platforms | inputs | |',
    '|---|---|---|---|',
    ...rows,
  ].join('\n');
}

async function run(call: Call): Promise<ExitCode> {
  const { host, root } = call;
  const file = fileOption(call, 'output');
  const revision = stringOption(call, 'revision');
  const event: CiEvent = revision === undefined ? await readEvent(host) : { $case: 'other-branch', commit: revision };
  const found = await ciPlan(host, { root, event, registry: createRegistry(host), force: flag(call, 'force') });
  await host.files.write(file, `${JSON.stringify(found.frozen, null, 2)}\n`);
  const { destination, variants, jobs, tagged } = found;
  const outputs = {
    revision: event.commit,
    build: String(variants.length > 0),
    push: destination.$case,
    tag: String(tagged.length > 0),
    tags: destination.$case === 'nowhere' ? '' : destination.tags.join(','),
    expires: destination.$case === 'expiring' ? destination.expires : '',
    matrix: JSON.stringify({ include: jobs }),
    variants: JSON.stringify(variants),
    'tag-matrix': JSON.stringify({ include: tagged }),
  };
  await setOutputs(host, outputs);
  await summarise(host, markdown(found));
  const lines = Object.entries(outputs).map(([name, value]) => `${name}=${value}`);
  printResult(call, outputs, lines);
  return exitCodes.clean;
}

/** plan makes the run's plan and sets the outputs by which the following jobs run. */
export const plan: Subcommand = {
  summary: 'freeze every plan of the run, and set the outputs for its jobs',
  define(command) {
    command
      .requiredOption('--output <file>', 'where the frozen plan is written')
      .option('--revision <commit>', 'the commit, elsewhere than on GitHub; nothing is published then')
      .option('--force', 'also build what was published from the same inputs');
    examples(command, [['runner-image ci plan --output plan.json', 'every plan, frozen; outputs for the matrices']]);
  },
  run,
};
