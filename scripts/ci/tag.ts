import { AppError, exitCodes, type ExitCode } from '../../src/errors/index.ts';
import { summarise, tagVariant } from '../../src/flows/ci/index.ts';
import { makeVerifier } from '../../src/flows/trust/policy-file.ts';
import { createRegistry } from '../../src/registry/index.ts';
import { fromHere, listOption, stringOption, type Call } from '../command.ts';
import { planFor } from '../plan-option.ts';
import { surroundings } from '../surroundings.ts';
import { policyOf, trustSources } from '../trust.ts';
import { neededFile, variantOf } from './inputs.ts';

/** step moves the tags, when everything else is done. */
export async function step(call: Call): Promise<ExitCode> {
  const { host } = call;
  const variant = variantOf(call);
  const tags = listOption(call, 'tag');
  if (tags.length === 0) throw new AppError('cli/usage', 'usage', 'ci tag needs --tag');
  const frozen = neededFile(call, 'plan');
  const gate = stringOption(call, 'gate');
  const policy = await policyOf(call);
  const { reference, moves } = await tagVariant(host, {
    plan: await planFor(call, variant, await surroundings(call)),
    tags,
    frozen,
    registry: createRegistry(host),
    verifier: policy === undefined ? undefined : await makeVerifier(host, policy, trustSources(call)),
    gate: gate === undefined ? undefined : fromHere(gate),
  });
  const lines = moves.map(
    ({ tag, before, moved }) => `${tag}: ${moved ? `${before ?? 'new'} → ${reference}` : `already ${reference}`}`,
  );
  await summarise(host, lines.map((line) => `- ${line}`).join('\n'));
  if (call.json) call.console.json({ reference, moves });
  else for (const line of lines) call.console.print(line);
  return exitCodes.clean;
}
