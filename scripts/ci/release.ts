import { exitCodes, type ExitCode } from '../../src/errors/index.ts';
import { releaseImages, releaseOf, summarise } from '../../src/flows/ci/index.ts';
import { makeVerifier } from '../../src/flows/trust/policy-file.ts';
import { createRegistry } from '../../src/registry/index.ts';
import type { Call } from '../command.ts';
import { demandPolicy, trustSources } from '../trust.ts';

/** step gives the images of this commit the version of the git tag, every one or none. */
export async function step(call: Call): Promise<ExitCode> {
  const { host, root } = call;
  const release = releaseOf(host.env);
  const verifier = await makeVerifier(host, await demandPolicy(call), trustSources(call));
  const done = await releaseImages(host, { root, registry: createRegistry(host), verifier, release });
  const lines = done.map(
    ({ to, digest, move }) => `${to}  ${move.moved ? (move.before ?? 'new') : 'already'} → ${digest}`,
  );
  const rows = done.map(({ to, digest }) => `| \`${to}\` | \`${digest}\` |`);
  await summarise(host, [`### ${release.version}`, '', '| tag | digest |', '|---|---|', ...rows].join('\n'));
  if (call.json) call.console.json(done.map(({ to, digest, move }) => ({ to, digest, move })));
  else for (const line of lines) call.console.print(line);
  return exitCodes.clean;
}
