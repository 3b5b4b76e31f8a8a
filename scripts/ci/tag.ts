import { AppError, exitCodes, type ExitCode } from '../../src/errors/index.ts';
import { summarise, tagVariant } from '../../src/flows/ci/index.ts';
import { makeVerifier } from '../../src/flows/trust/policy-file.ts';
import { createRegistry } from '../../src/registry/index.ts';
import { examples, fileOption, listOption, pathOption, printResult, type Call, type Subcommand } from '../command.ts';
import { planFor } from '../plan-option.ts';
import { readEnvironment } from '../environment-options.ts';
import { trustOptions, trustSources } from '../trust.ts';
import { policyOf } from '../trust-policy.ts';

async function run(call: Call): Promise<ExitCode> {
  const { host } = call;
  const variant = call.args[0] ?? '';
  const tags = listOption(call, 'tag');
  if (tags.length === 0) throw new AppError('cli/usage', 'usage', 'ci tag needs a tag', { expected: '--tag LIST' });
  const policy = await policyOf(call);
  const { reference, moves } = await tagVariant(host, {
    plan: await planFor(call, variant, await readEnvironment(call)),
    tags,
    frozen: fileOption(call, 'plan'),
    registry: createRegistry(host),
    verifier: policy === undefined ? undefined : await makeVerifier(host, policy, trustSources(call)),
    evidence: pathOption(call, 'evidence'),
  });
  const lines = moves.map(
    ({ tag, before, moved }) => `${tag}: ${moved ? `${before ?? 'new'} → ${reference}` : `already ${reference}`}`,
  );
  await summarise(host, lines.map((line) => `- ${line}`).join('\n'));
  printResult(call, { reference, moves }, lines);
  return exitCodes.clean;
}

/** tag moves the tags, when everything else is done. */
export const tag: Subcommand = {
  summary: 'verify what is published, and move its tags last',
  define(command) {
    command
      .argument('<variant>', 'variant of the frozen plan')
      .requiredOption('--plan <file>', 'the frozen plan: refuse inputs that differ from it')
      .requiredOption('--tag <list>', 'the tags to move')
      .option('--evidence <file>', 'evidence of the gate; without it, what the plan says was published before');
    trustOptions(command);
    examples(command, [
      [
        'runner-image ci tag openshell --plan plan.json --tag latest --evidence evidence.json --online --policy .github/trust-policy.yaml',
        'what passed',
      ],
    ]);
  },
  run,
};
