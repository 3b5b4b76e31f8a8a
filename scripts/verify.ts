import { parseImageRef, type ImageRef } from '../src/core/index.ts';
import { exitCodes } from '../src/errors/index.ts';
import { extendEvidence, withVerification } from '../src/evidence/index.ts';
import { openLayoutImage } from '../src/flows/trust/layout-registry.ts';
import { makeVerifier } from '../src/flows/trust/policy-file.ts';
import { verifyTree } from '../src/flows/trust/verify-tree.ts';
import { parseSource } from '../src/oci/index.ts';
import type { Registry } from '../src/registry/index.ts';
import { examples, fromHere, printResult, type Call, type CommandModule } from './command.ts';
import { evidenceOption, evidencePlace, signerName, reportText, trustOptions, trustSources } from './trust.ts';
import { demandPolicy } from './trust-policy.ts';
import { summaryFile, writeSummary } from './vsa.ts';
import { sourceOptions, withSource } from './source-options.ts';
import { registryOf, registryOptions } from './registry.ts';

interface OpenImage {
  readonly registry: Registry;
  readonly ref: ImageRef;
  /** How the report names it, where that is not the reference's own form. */
  readonly shown?: { readonly reference: string } | undefined;
}

/** A layout is read with the same calls as a registry, and asks nothing of the network. */
async function openImage(call: Call, text: string): Promise<OpenImage> {
  if (!text.startsWith('oci:')) return { registry: registryOf(call), ref: parseImageRef(text) };
  const source = parseSource(text);
  const { path, ref: name } = source as Extract<typeof source, { readonly path: string }>;
  const { registry, ref } = await openLayoutImage(call.host, fromHere(path), name);
  return { registry, ref, shown: { reference: `oci:${path}@${ref.digest}` } };
}

export const command: CommandModule = {
  define(command) {
    command.argument(
      '<reference>',
      'host/repository:tag or @sha256:…; a tag is resolved once, then everything is read by digest; or oci:DIR[:NAME]',
    );
    command
      .option('--vsa <file>', 'write what was found as a SLSA verification summary, unsigned: `attest --vsa` signs it')
      .option('--verifier-id <uri>', 'who verifies, in the summary: the identity that will sign it');
    evidenceOption(command);
    trustOptions(command);
    sourceOptions(command);
    registryOptions(command);
    examples(command, [
      [
        'runner-image verify quay.io/o/runner:stable --policy policy.yaml --online',
        'every node, against the public instance',
      ],
      ['runner-image verify REF --policy policy.yaml --trusted-root trusted_root.json', 'asks only the registry'],
      [
        'runner-image verify oci:dir --policy policy.yaml --trusted-root trusted_root.json',
        'a layout with what is attached, as `oras copy -r` writes it: no network at all',
      ],
      ['runner-image verify REF --key cosign.pub', 'an image signed with a key'],
      [
        'runner-image verify REF --identity ID --repository URL --ref REF --trigger push --require signature --nodes root --with-legacy --online',
        'an upstream signed by plain cosign',
      ],
    ]);
  },
  async run(call) {
    const { host, args } = call;
    const image = await openImage(call, args[0] ?? '');
    const policy = withSource(call, await demandPolicy(call));
    const summary = await summaryFile(call);
    const verifier = await makeVerifier(host, policy, trustSources(call));
    const report = { ...(await verifyTree(image.registry, image.ref, verifier)), ...image.shown };
    await extendEvidence(host, evidencePlace(call, report.digest), (evidence) =>
      withVerification(evidence, report, signerName(policy), host.clock.now()),
    );
    if (summary !== undefined) await writeSummary(call, summary, { repo: image.ref, report, policy });
    printResult(call, report, reportText(report));
    return report.ok ? exitCodes.clean : exitCodes.findings;
  },
};
