import { AppError, exitCodes, type ExitCode } from '../../src/errors/index.ts';
import { summarise, tagVariant } from '../../src/flows/ci/index.ts';
import { makeVerifier } from '../../src/flows/trust/policy-file.ts';
import { createRegistry } from '../../src/registry/index.ts';
import { examples, fileOption, fromHere, listOption, stringOption, type Call } from '../command.ts';
import { planFor } from '../plan-option.ts';
import { surroundings } from '../surroundings.ts';
import { trustOptions, trustSources } from '../trust.ts';
import { policyOf } from '../trust-policy.ts';
import type { CiStep } from './step.ts';

async function run(call: Call): Promise<ExitCode> {
  const { host } = call;
  const variant = call.args[0] ?? '';
  const tags = listOption(call, 'tag');
  if (tags.length === 0) throw new AppError('cli/usage', 'usage', 'ci tag needs a tag', { expected: '--tag LIST' });
  const evidence = stringOption(call, 'evidence');
  const policy = await policyOf(call);
  const { reference, moves } = await tagVariant(host, {
    plan: await planFor(call, variant, await surroundings(call)),
    tags,
    frozen: fileOption(call, 'plan'),
    registry: createRegistry(host),
    verifier: policy === undefined ? undefined : await makeVerifier(host, policy, trustSources(call)),
    evidence: evidence === undefined ? undefined : fromHere(evidence),
  });
  const lines = moves.map(
    ({ tag, before, moved }) => `${tag}: ${moved ? `${before ?? 'new'} → ${reference}` : `already ${reference}`}`,
  );
  await summarise(host, lines.map((line) => `- ${line}`).join('\n'));
  if (call.json) call.console.json({ reference, moves });
  else for (const line of lines) call.console.print(line);
  return exitCodes.clean;
}

/** tag moves the tags, when everything else is done. */
export const tag: CiStep = {
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
