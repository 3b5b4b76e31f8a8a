import { exitCodes, type ExitCode } from '../../src/errors/index.ts';
import { publishedDigests, setOutputs, summarise } from '../../src/flows/ci/index.ts';
import { createRegistry } from '../../src/registry/index.ts';
import type { Call } from '../command.ts';
import { neededFile } from './inputs.ts';

/** step tells the signing jobs what was published: repositories and digests, nothing else. */
export async function step(call: Call): Promise<ExitCode> {
  const { host } = call;
  const frozen = neededFile(call, 'plan');
  const jobs = await publishedDigests(host, {
    frozen,
    gates: neededFile(call, 'gates'),
    registry: createRegistry(host),
  });
  await setOutputs(host, { images: JSON.stringify({ include: jobs }) });
  const lines = jobs.map(({ repository, digest }) => `${repository}@${digest}`);
  await summarise(host, ['to be signed:', '', ...lines.map((line) => `- \`${line}\``)].join('\n'));
  if (call.json) call.console.json(jobs);
  else for (const line of lines) call.console.print(line);
  return exitCodes.clean;
}
