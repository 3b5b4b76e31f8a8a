import { parseImageRef } from '../src/core/index.ts';
import { exitCodes } from '../src/errors/index.ts';
import {
  demandGate,
  demandReason,
  demandSameImages,
  extendEvidence,
  findEvidence,
  refuseLab,
  withAttachments,
} from '../src/evidence/index.ts';
import { demandDigest, signTree, treeToSign } from '../src/flows/trust/sign-tree.ts';
import { imagesOf } from '../src/flows/trust/tree.ts';
import { examples, flag, printResult, stringOption, type CommandModule } from './command.ts';
import { evidenceOption, evidencePlace, signingContextOf, signingOptions, signedText, trustOptions } from './trust.ts';
import { registryOf, registryOptions } from './registry.ts';

export const command: CommandModule = {
  define(command) {
    command.argument('<reference>', 'host/repository@sha256:…, after the gate; tags are refused, they may move');
    command.option('--without-gate <reason>', 'sign although no gate is recorded; the reason is kept as evidence');
    evidenceOption(command);
    signingOptions(command);
    trustOptions(command);
    registryOptions(command);
    examples(command, [
      [
        'runner-image sign quay.io/o/runner@sha256:… --online',
        'in a CI job with id-token: write: index and every image',
      ],
      ['runner-image sign REF --signing-key key.pem', 'without any service'],
      ['runner-image sign REF --online --legacy', 'also for cosign 2'],
      ['runner-image sign REF --online --evidence evidence.json', 'the gate was passed on another machine'],
    ]);
  },
  async run(call) {
    const { host } = call;
    const ref = parseImageRef(call.args[0] ?? '');
    const digest = demandDigest(ref);
    const place = evidencePlace(call, digest);
    const reason = stringOption(call, 'withoutGate');
    if (reason !== undefined) demandReason(reason);
    const gated = reason === undefined ? await demandGate(host, place) : undefined;
    const evidence = gated ?? (await findEvidence(host, place));
    if (evidence !== undefined) refuseLab(evidence, ref);
    if (reason !== undefined) host.progress.warn(`signing without a recorded gate: ${reason}`);
    const registry = registryOf(call);
    // The certificate is fetched while the image is read.
    const [signing, tree] = await Promise.all([signingContextOf(call, registry), treeToSign(registry, ref)]);
    if (gated !== undefined) demandSameImages(gated, { registry: ref.registry, images: imagesOf(tree) });
    const signed = await signTree(signing, tree, { legacy: flag(call, 'legacy') });
    await extendEvidence(host, place, (evidence) => ({
      ...withAttachments(evidence, [...signed.bundles]),
      signedWithoutGate: reason ?? evidence.signedWithoutGate,
    }));
    printResult(call, signed, signedText(signed));
    return exitCodes.clean;
  },
};
