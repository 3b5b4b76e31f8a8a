import { digestOf, formatImageRef, parseImageRef } from '../src/core/index.ts';
import { AppError, exitCodes } from '../src/errors/index.ts';
import {
  completeEvidence,
  platformBuild,
  recordedBuilds,
  withAttachments,
  withSboms,
  type EvidencePlace,
  type PlatformBuild,
} from '../src/flows/evidence/index.ts';
import {
  attestTree,
  demandDigest,
  projectPins,
  provenanceOf,
  sbomsIn,
  sbomsOf,
  type Observed,
} from '../src/flows/trust/index.ts';
import { variantOfRepository } from '../src/flows/ci/variant.ts';
import { buildPlan, loadDefinitions } from '../src/flows/plan.ts';
import { createRegistry } from '../src/registry/index.ts';
import { buildSite } from '../src/sigstore/index.ts';
import { examples, flag, stringOption, type Call, type CommandModule } from './command.ts';
import { fromHere } from './plan-option.ts';
import { surroundings, surroundingsOptions } from './surroundings.ts';
import { evidenceOption, evidencePlace, penOf, signingOptions, tellSigned, trustOptions } from './trust.ts';
import { projectVersion } from './version.ts';

/** As said, or as the machines that built it wrote down; nobody guesses it. */
async function whoBuilt(call: Call, place: EvidencePlace): Promise<(observed: Observed) => readonly PlatformBuild[]> {
  const [product, version] = [stringOption(call, 'engineProduct'), stringOption(call, 'engineVersion')];
  if ((product === undefined) !== (version === undefined))
    throw new AppError('cli/usage', 'usage', 'an engine has a name and a version', {
      expected: '--engine-product with --engine-version, or neither',
    });
  if (product === undefined || version === undefined) {
    const builds = await recordedBuilds(call.host, place);
    return () => builds;
  }
  return ({ images }) =>
    images.flatMap(({ digest, platform }) =>
      platform === undefined ? [] : [platformBuild(platform, digest, { product, version })],
    );
}

export const command: CommandModule = {
  define(command) {
    command
      .argument('<reference>', 'host/repository@sha256:…, signed before')
      .option('--variant <name>', 'the variant it was built from, at this commit; by its repository otherwise')
      .option('--sbom <dir>', 'what `sbom --output` wrote, instead of reading the layers again')
      .option(
        '--engine-product <name>',
        'what built every platform, e.g. "Docker Engine"; otherwise as `build` recorded it',
      )
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
    const builds = await whoBuilt(call, place);
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
    const site = buildSite(host.env, pen.signer.secret());
    const texts = new Map(sboms.map(({ digest, text }) => [digest, text]));
    const attestable = {
      provenance: (observed: Observed) => provenanceOf({ plan, site, toolVersion, builds: builds(observed) }, observed),
      sboms: texts,
      inputDigest: plan.inputDigest,
    };
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
