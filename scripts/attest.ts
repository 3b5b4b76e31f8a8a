import { digestOf, formatImageRef, parseImageRef } from '../src/core/index.ts';
import { exitCodes } from '../src/errors/index.ts';
import {
  completeEvidence,
  evidenceAt,
  withAttachments,
  withSboms,
  type EvidencePlace,
} from '../src/flows/evidence/index.ts';
import { attestTree, demandDigest, projectPins, sbomsIn, sbomsOf } from '../src/flows/trust/index.ts';
import { variantOfRepository } from '../src/flows/ci/variant.ts';
import { buildPlan, loadDefinitions } from '../src/flows/plan.ts';
import { createRegistry } from '../src/registry/index.ts';
import { buildSite, makeProvenance } from '../src/sigstore/index.ts';
import { examples, flag, stringOption, type Call, type CommandModule } from './command.ts';
import { fromHere } from './plan-option.ts';
import { surroundings, surroundingsOptions } from './surroundings.ts';
import { evidenceOption, evidencePlace, penOf, signingOptions, tellSigned, trustOptions } from './trust.ts';
import { projectVersion } from './version.ts';

/** As said, or as `build` wrote it down; nobody guesses it. */
async function engineOf(call: Call, place: EvidencePlace) {
  const [product, version] = [stringOption(call, 'engineProduct'), stringOption(call, 'engineVersion')];
  if (product !== undefined && version !== undefined) return { product, version };
  return (await evidenceAt(call.host, place))?.evidence.engine;
}

export const command: CommandModule = {
  define(command) {
    command
      .argument('<reference>', 'host/repository@sha256:…, signed before')
      .option('--variant <name>', 'the variant it was built from, at this commit; by its repository otherwise')
      .option('--sbom <dir>', 'what `sbom --output` wrote, instead of reading the layers again')
      .option('--engine-product <name>', 'what built it, e.g. "Docker Engine"; otherwise as `build` recorded it')
      .option('--engine-version <version>', 'its version');
    evidenceOption(command);
    signingOptions(command);
    trustOptions(command);
    surroundingsOptions(command);
    examples(command, [
      ['runner-image attest quay.io/o/runner@sha256:… --online', 'provenance on every node, an SBOM on every image'],
      ['runner-image attest REF --variant standard --signing-key key.pem', 'without any service'],
    ]);
  },
  async run(call) {
    const { host, root } = call;
    const ref = parseImageRef(call.args[0] ?? '');
    const around = await surroundings(call);
    const named = stringOption(call, 'variant');
    const variant = named ?? variantOfRepository(await loadDefinitions(host, root, around.pinsFile), ref);
    const plan = await buildPlan(host, { root, variant, ...around });
    const registry = createRegistry(host);
    const pen = await penOf(call, registry);
    const toolVersion = projectVersion(root);
    const place = evidencePlace(call, demandDigest(ref));
    const engine = await engineOf(call, place);
    const written = stringOption(call, 'sbom');
    const sboms =
      written === undefined
        ? await sbomsOf(host, {
            image: formatImageRef(ref),
            registry,
            repository: `${ref.registry}/${ref.repository}`,
            sourceDateEpoch: plan.sourceDateEpoch,
            toolVersion,
            pins: projectPins(host, { root, ...around }),
          })
        : await sbomsIn(host, fromHere(written));
    // Asking the signer who it is fetches its token, which on GitHub names the workflow that signs.
    await pen.signer.self();
    const provenance = makeProvenance({
      plan,
      site: buildSite(host.env, pen.signer.secret()),
      toolVersion,
      ...(engine === undefined ? {} : { engine }),
    });
    const texts = new Map(sboms.map(({ digest, text }) => [digest, text]));
    const attestable = { provenance, sboms: texts, inputDigest: plan.inputDigest };
    const attested = await attestTree(pen, ref, attestable, { legacy: flag(call, 'legacy') });
    await completeEvidence(host, place, (evidence) =>
      withSboms(
        withAttachments(evidence, [...attested.bundles]),
        sboms.map(({ platform, digest, components, text }) => ({
          platform,
          manifest: digest,
          digest: digestOf(text),
          components,
        })),
      ),
    );
    if (call.json) call.console.json(attested);
    else call.console.print(tellSigned(attested));
    return exitCodes.clean;
  },
};
