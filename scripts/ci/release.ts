import { exitCodes, type ExitCode } from '../../src/errors/index.ts';
import { releaseImages, releaseOf, summarise } from '../../src/flows/ci/index.ts';
import { makeVerifier } from '../../src/flows/trust/policy-file.ts';
import { createRegistry } from '../../src/registry/index.ts';
import { examples, printResult, type Call, type Subcommand } from '../command.ts';
import { trustOptions, trustSources } from '../trust.ts';
import { demandPolicy } from '../trust-policy.ts';

async function run(call: Call): Promise<ExitCode> {
  const { host, root } = call;
  const release = releaseOf(host.env);
  const verifier = await makeVerifier(host, await demandPolicy(call), trustSources(call));
  const done = await releaseImages(host, { root, registry: createRegistry(host), verifier, release });
  const lines = done.map(
    ({ to, digest, move }) => `${to}  ${move.moved ? (move.before ?? 'new') : 'already'} → ${digest}`,
  );
  const rows = done.map(({ to, digest }) => `| \`${to}\` | \`${digest}\` |`);
  await summarise(host, [`### ${release.version}`, '', '| tag | digest |', '|---|---|', ...rows].join('\n'));
  printResult(
    call,
    done.map(({ to, digest, move }) => ({ to, digest, move })),
    lines,
  );
  return exitCodes.clean;
}

/** release moves the version of the git tag to the images of this commit, every one or none. */
export const release: Subcommand = {
  summary: 'promote the images of this commit to the version of the git tag, then to stable',
  define(command) {
    trustOptions(command);
    examples(command, [
      ['runner-image ci release --online --policy .github/trust-policy.yaml', 'in a run that a tag v1.2.3 started'],
    ]);
  },
  run,
};
