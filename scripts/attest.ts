import { digestOf, formatImageRef, parseImageRef, type ImageRef, type Plan } from '../src/core/index.ts';
import { AppError, exitCodes } from '../src/errors/index.ts';
import { platformBuild, recordedBuilds } from '../src/flows/evidence/builds.ts';
import type { PlatformBuild } from '../src/flows/evidence/schema.ts';
import { withAttachments, withSboms } from '../src/flows/evidence/steps.ts';
import { completeEvidence, type EvidencePlace } from '../src/flows/evidence/store.ts';
import { attestTree } from '../src/flows/trust/attest-tree.ts';
import { provenanceOf, type Observed } from '../src/flows/trust/provenance.ts';
import { sbomsIn } from '../src/flows/trust/sbom-files.ts';
import { demandDigest, treeToSign } from '../src/flows/trust/sign-tree.ts';
import { createRegistry, type Registry } from '../src/registry/index.ts';
import { buildSite } from '../src/sigstore/index.ts';
import { examples, flag, fromHere, stringOption, type Call, type CommandModule } from './command.ts';
import { planFor } from './plan-option.ts';
import { surroundings, surroundingsOptions, type Surroundings } from './surroundings.ts';
import { evidenceOption, evidencePlace, penOf, signingOptions, tellSigned, trustOptions } from './trust.ts';
import { toolVersion } from './version.ts';

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

async function planOf(call: Call, ref: ImageRef): Promise<{ readonly plan: Plan; readonly around: Surroundings }> {
  const around = await surroundings(call);
  const variant = stringOption(call, 'variant') ?? (await variantOf(call, ref, around));
  return { around, plan: await planFor(call, variant, around) };
}

/** A CI job that is told nothing but a repository finds the variant by it. */
async function variantOf({ host, root }: Call, ref: ImageRef, { pinsFile }: Surroundings): Promise<string> {
  const { loadDefinitions } = await import('../src/flows/plan.ts');
  const { variantOfRepository } = await import('../src/flows/ci/variant.ts');
  return variantOfRepository(await loadDefinitions(host, root, pinsFile), ref);
}

interface SbomFacts {
  readonly plan: Plan;
  readonly around: Surroundings;
  readonly toolVersion: string;
}

/** The readers of layers and packages are loaded only where the documents do not lie ready. */
async function readSboms({ host, root }: Call, ref: ImageRef, registry: Registry, facts: SbomFacts) {
  const { sbomsOf } = await import('../src/flows/trust/sbom.ts');
  const { projectPins } = await import('../src/flows/trust/pinned-paths.ts');
  return await sbomsOf(host, {
    image: formatImageRef(ref),
    registry,
    repository: `${ref.registry}/${ref.repository}`,
    sourceDateEpoch: facts.plan.sourceDateEpoch,
    toolVersion: facts.toolVersion,
    pins: projectPins(host, { root, ...facts.around }),
  });
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
    const { host } = call;
    const ref = parseImageRef(call.args[0] ?? '');
    const place = evidencePlace(call, demandDigest(ref));
    const registry = createRegistry(host);
    const version = toolVersion();
    // The certificate is fetched and the image read while the plan is made.
    const [{ plan, around }, pen, tree, builds] = await Promise.all([
      planOf(call, ref),
      penOf(call, registry),
      treeToSign(registry, ref),
      whoBuilt(call, place),
    ]);
    const written = stringOption(call, 'sbom');
    const sboms =
      written === undefined
        ? await readSboms(call, ref, registry, { plan, around, toolVersion: version })
        : await sbomsIn(host, fromHere(written));
    // Asking the signer who it is fetches its token, which on GitHub names the workflow that signs.
    await pen.signer.self();
    const site = buildSite(host.env, pen.signer.secret());
    const texts = new Map(sboms.map(({ digest, text }) => [digest, text]));
    const attestable = {
      provenance: (observed: Observed) =>
        provenanceOf({ plan, site, toolVersion: version, builds: builds(observed) }, observed),
      sboms: texts,
      inputDigest: plan.inputDigest,
    };
    const attested = await attestTree(pen, tree, attestable, { legacy: flag(call, 'legacy') });
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
