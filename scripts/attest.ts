import { digestOf, formatImageRef, parseImageRef, type ImageRef, type Plan } from '../src/core/index.ts';
import { AppError, exitCodes } from '../src/errors/index.ts';
import {
  buildBy,
  extendEvidence,
  findEvidence,
  withAttachments,
  withSboms,
  type Build,
  type EvidencePlace,
} from '../src/evidence/index.ts';
import { variantOfRepository } from '../src/flows/ci/variant.ts';
import { loadDefinitions } from '../src/flows/plan.ts';
import { attestTree } from '../src/flows/trust/attest-tree.ts';
import { projectPins } from '../src/flows/trust/pinned-paths.ts';
import { provenanceOf, type Observed } from '../src/flows/trust/provenance.ts';
import { sbomsOf } from '../src/flows/trust/sbom.ts';
import { sbomsIn } from '../src/flows/trust/sbom-files.ts';
import { demandDigest, treeToSign } from '../src/flows/trust/sign-tree.ts';
import type { Registry } from '../src/registry/index.ts';
import { buildSite } from '../src/sigstore/index.ts';
import { examples, flag, pathOption, printResult, stringOption, type Call, type CommandModule } from './command.ts';
import { planFor, runnerSourceOption } from './plan-option.ts';
import { environmentOptions, readEnvironment, type Environment } from './environment-options.ts';
import { evidenceOption, evidencePlace, signingContextOf, signingOptions, signedText, trustOptions } from './trust.ts';
import { toolVersion } from './version.ts';
import { signSummary } from './vsa.ts';
import { registryOf } from './registry.ts';

/** Who built the images: an engine for all of them, or what the machines that built them recorded. Never a guess. */
type Builder = { readonly product: string; readonly version: string } | readonly Build[];

async function builderOf(call: Call, place: EvidencePlace): Promise<Builder> {
  const [product, version] = [stringOption(call, 'engineProduct'), stringOption(call, 'engineVersion')];
  if ((product === undefined) !== (version === undefined))
    throw new AppError('cli/usage', 'usage', 'an engine has a name and a version', {
      expected: '--engine-product with --engine-version, or neither',
    });
  if (product !== undefined && version !== undefined) return { product, version };
  return (await findEvidence(call.host, place))?.evidence.builds ?? [];
}

function buildsBy(builder: Builder, { images }: Observed): readonly Build[] {
  if (!('product' in builder)) return builder;
  return images.flatMap(({ digest, platform }) => (platform === undefined ? [] : [buildBy(builder, platform, digest)]));
}

async function planOf(call: Call, ref: ImageRef): Promise<{ readonly plan: Plan; readonly environment: Environment }> {
  const environment = await readEnvironment(call);
  const variant = stringOption(call, 'variant') ?? (await variantOf(call, ref, environment));
  return { environment, plan: await planFor(call, variant, environment) };
}

/** A CI job that receives nothing but a repository finds the variant by it. */
async function variantOf({ host, root }: Call, ref: ImageRef, { pinsFile }: Environment): Promise<string> {
  return variantOfRepository(await loadDefinitions(host, root, pinsFile), ref);
}

async function readSboms({ host, root }: Call, ref: ImageRef, registry: Registry, plan: Plan, from: Environment) {
  return await sbomsOf(host, {
    image: formatImageRef(ref),
    registry,
    repository: `${ref.registry}/${ref.repository}`,
    sourceDateEpoch: plan.sourceDateEpoch,
    toolVersion: toolVersion(),
    pins: projectPins(host, { root, ...from }),
  });
}

export const command: CommandModule = {
  define(command) {
    command
      .argument('<reference>', 'host/repository@sha256:…, signed before')
      .option('--variant <name>', 'the variant it was built from, at this commit; by its repository otherwise')
      .option(...runnerSourceOption)
      .option('--sbom <dir>', 'what `sbom --output` wrote, instead of reading the layers again')
      .option(
        '--engine-product <name>',
        'what built every platform, e.g. "Docker Engine"; otherwise as `build` recorded it',
      )
      .option('--engine-version <version>', 'its version')
      .option('--vsa <file>', 'sign and attach what `verify --vsa` wrote, and nothing else');
    evidenceOption(command);
    signingOptions(command);
    trustOptions(command);
    environmentOptions(command);
    examples(command, [
      ['runner-image attest quay.io/o/runner@sha256:… --online', 'provenance on every node, an SBOM on every image'],
      ['runner-image attest REF --variant standard --signing-key key.pem', 'without any service'],
    ]);
  },
  async run(call) {
    const { host } = call;
    const ref = parseImageRef(call.args[0] ?? '');
    const summary = stringOption(call, 'vsa');
    if (summary !== undefined) return await signSummary(call, ref, summary);
    const place = evidencePlace(call, demandDigest(ref));
    const registry = registryOf(call);
    const version = toolVersion();
    // The certificate is fetched and the image read while the plan is made.
    const [{ plan, environment }, pen, tree, builder] = await Promise.all([
      planOf(call, ref),
      signingContextOf(call, registry),
      treeToSign(registry, ref),
      builderOf(call, place),
    ]);
    const written = pathOption(call, 'sbom');
    const sboms =
      written === undefined ? await readSboms(call, ref, registry, plan, environment) : await sbomsIn(host, written);
    // On GitHub the identity token names the workflow that signs.
    const site = buildSite(host.env, await pen.signer.token());
    const texts = new Map(sboms.map(({ digest, text }) => [digest, text]));
    const attestable = {
      provenance: (observed: Observed) =>
        provenanceOf({ plan, site, toolVersion: version, builds: buildsBy(builder, observed) }, observed),
      sboms: texts,
      inputDigest: plan.inputDigest,
    };
    const attested = await attestTree(pen, tree, attestable, { legacy: flag(call, 'legacy') });
    await extendEvidence(host, place, (evidence) =>
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
    printResult(call, attested, signedText(attested));
    return exitCodes.clean;
  },
};
