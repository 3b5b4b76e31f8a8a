import { parseImageRef } from '../src/core/index.ts';
import { exitCodes } from '../src/errors/index.ts';
import { extendEvidence, withVerification } from '../src/evidence/index.ts';
import { makeVerifier } from '../src/flows/trust/policy-file.ts';
import { verifyTree } from '../src/flows/trust/verify-tree.ts';
import { examples, type CommandModule } from './command.ts';
import { evidenceOption, evidencePlace, signerName, tellReport, trustOptions, trustSources } from './trust.ts';
import { demandPolicy } from './trust-policy.ts';
import { registryOf, registryOptions } from './registry.ts';

export const command: CommandModule = {
  define(command) {
    command.argument(
      '<reference>',
      'host/repository:tag or @sha256:…; a tag is resolved once, then everything is read by digest',
    );
    evidenceOption(command);
    trustOptions(command);
    registryOptions(command);
    examples(command, [
      [
        'runner-image verify quay.io/o/runner:stable --policy policy.yaml --online',
        'every node, against the public instance',
      ],
      ['runner-image verify REF --policy policy.yaml --trusted-root trusted_root.json', 'asks nobody but the registry'],
      ['runner-image verify REF --key cosign.pub', 'an image signed with a key'],
      [
        'runner-image verify REF --identity ID --repository URL --ref REF --trigger push --require signature --nodes root --with-legacy --online',
        'an upstream signed by plain cosign',
      ],
    ]);
  },
  async run(call) {
    const { host, args } = call;
    const ref = parseImageRef(args[0] ?? '');
    const policy = await demandPolicy(call);
    const verifier = await makeVerifier(host, policy, trustSources(call));
    const report = await verifyTree(registryOf(call), ref, verifier);
    await extendEvidence(host, evidencePlace(call, report.digest), (evidence) =>
      withVerification(evidence, report, signerName(policy), host.clock.now()),
    );
    if (call.json) call.console.json(report);
    else call.console.print(tellReport(report));
    return report.ok ? exitCodes.clean : exitCodes.findings;
  },
};
