import { parseImageRef } from '../src/core/index.ts';
import { exitCodes } from '../src/errors/index.ts';
import { makeVerifier } from '../src/flows/trust/policy-file.ts';
import { promote, type Promotion } from '../src/flows/trust/promote.ts';
import { examples, flag, printResult, type CommandModule } from './command.ts';
import { trustOptions, trustSources } from './trust.ts';
import { demandPolicy } from './trust-policy.ts';
import { sourceOptions, withSource } from './source-options.ts';
import { registryOf, registryOptions } from './registry.ts';

function promotionText({ from, to, move, copied, left }: Promotion): readonly string[] {
  const { manifests, blobs, referrers } = copied;
  return [
    `${to}  ${move.moved ? `${move.before ?? 'new'} → ${move.after}` : `already ${move.after}`}`,
    `  from ${from}, verified there and here`,
    `  ${manifests.pushed} manifests, ${blobs.uploaded + blobs.mounted} blobs and ${referrers.copied} proofs copied`,
    ...left.map(({ node, source, why }) => `  not copied  ${node ?? 'referrer'}  ${source}  ${why}`),
  ];
}

export const command: CommandModule = {
  define(command) {
    command
      .argument('<source>', 'host/repository:tag or @sha256:…')
      .argument('<destination>', 'host/repository:tag, in the same registry or another');
    command
      .option('--all-referrers', 'copy everything that is attached, not only what the policy accepts')
      .option('--allow-older', 'also move a tag that names something newer, or of unknown age');
    trustOptions(command);
    sourceOptions(command);
    registryOptions(command);
    examples(command, [
      [
        'runner-image promote quay.io/o/staging@sha256:… quay.io/o/runner:stable --policy policy.yaml --online',
        'verify, copy, verify, move the tag',
      ],
    ]);
  },
  async run(call) {
    const { host } = call;
    const [source, destination] = [0, 1].map((at) => parseImageRef(call.args[at] ?? '')) as [
      ReturnType<typeof parseImageRef>,
      ReturnType<typeof parseImageRef>,
    ];
    const verifier = await makeVerifier(host, withSource(call, await demandPolicy(call)), trustSources(call));
    const done = await promote({
      registry: registryOf(call),
      verifier,
      source,
      destination,
      allReferrers: flag(call, 'allReferrers'),
      allowOlder: flag(call, 'allowOlder'),
    });
    printResult(call, done, promotionText(done));
    return exitCodes.clean;
  },
};
