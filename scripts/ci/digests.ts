import { exitCodes, type ExitCode } from '../../src/errors/index.ts';
import { publishedDigests, setOutputs, summarise } from '../../src/flows/ci/index.ts';
import { createRegistry } from '../../src/registry/index.ts';
import { examples, fileOption, printResult, type Call, type Subcommand } from '../command.ts';

async function run(call: Call): Promise<ExitCode> {
  const { host } = call;
  const jobs = await publishedDigests(host, {
    frozen: fileOption(call, 'plan'),
    evidence: fileOption(call, 'evidence'),
    registry: createRegistry(host),
  });
  await setOutputs(host, { images: JSON.stringify({ include: jobs }) });
  const lines = jobs.map(({ repository, digest }) => `${repository}@${digest}`);
  await summarise(host, ['to be signed:', '', ...lines.map((line) => `- \`${line}\``)].join('\n'));
  printResult(call, jobs, lines);
  return exitCodes.clean;
}

/** digests hands the signing jobs what was published: repositories and digests, nothing else. */
export const digests: Subcommand = {
  summary: 'set the output images: what this run built, gated and pushed, for the jobs that sign',
  define(command) {
    command
      .requiredOption('--plan <file>', 'the frozen plan')
      .requiredOption('--evidence <folder>', 'evidence.json of every gate, each in a folder of its own');
    examples(command, [['runner-image ci digests --plan plan.json --evidence gates', 'a matrix of digests to sign']]);
  },
  run,
};
