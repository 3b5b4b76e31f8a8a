import { parseImageRef } from '../../src/core/index.ts';
import { AppError } from '../../src/errors/index.ts';
import { layoutDirectory } from '../../src/flows/build/index.ts';
import { evidenceFile, readEvidence, type Evidence } from '../../src/evidence/index.ts';
import { createHost } from '../../src/host/index.ts';
import { startSigstore } from '../../src/lab/sigstore/start.ts';
import { localBuilder } from '../../src/sigstore/index.ts';
import { byCosign } from './cosign.ts';
import { here, root, runnerImage, step } from './step.ts';

/** Returns where the variant was published last, as its evidence says. Throws `demo/unpublished`. */
async function published(variant: string): Promise<{ readonly evidence: Evidence; readonly reference: string }> {
  const layout = layoutDirectory(root, variant);
  const evidence = (await readEvidence(createHost(), layout))?.evidence;
  const newest = evidence?.publications.toSorted((a, b) => b.at.localeCompare(a.at))[0];
  if (evidence !== undefined && newest !== undefined) return { evidence, reference: newest.reference };
  throw new AppError('demo/unpublished', 'usage', `${variant} was not published from here`, {
    where: { file: evidenceFile(layout) },
    hint: 'make demo publishes it',
  });
}

/**
 * proveAndPromote signs what was published, verifies it with this tool and with cosign, and promotes it. Returns the
 * promoted reference and the words of the command that verifies it.
 */
export async function proveAndPromote(variant: string): Promise<{ released: string; verify: readonly string[] }> {
  const { evidence, reference } = await published(variant);
  const { registry, repository } = parseImageRef(reference);
  const sigstore = await startSigstore();
  const { url, identity, caller, environment: env } = sigstore;
  const trusted = ['--trusted-root', here(sigstore.trustedRoot)];
  const services = ['--fulcio', url, '--rekor', url, '--tsa', url, ...trusted, '--legacy'];
  const { repository: ranIn, ref, trigger } = caller;
  // Built by hand: that is what its provenance says, and what the policy allows.
  const rest = ['--ref', ref, '--trigger', trigger, '--builder', localBuilder];
  const signedFrom = (place: string) => [...trusted, '--identity', identity, '--repository', place, ...rest];
  const signed = signedFrom(ranIn);
  const sign = runnerImage(['sign', reference, ...services], { env });
  await step('sign', 'the index and every image, as a CI job would; only what passed the gate', sign);
  const attest = runnerImage(['attest', reference, '--variant', variant, '--lab', ...services], { env });
  await step('attest', 'provenance on every node, an SBOM on every image', attest);
  await step('sign', 'once more: adds nothing', sign);
  await step('verify', 'every node, by digest', runnerImage(['verify', reference, ...signed]));
  const fork = runnerImage(['verify', reference, ...signedFrom(`${ranIn}-fork`)], { expected: 1 });
  await step('verify', 'as if another repository had called that workflow: must be refused', fork);
  await byCosign(sigstore, evidence, reference);
  const released = `${registry}/released/${repository.split('/').at(-1) ?? variant}:stable`;
  const promote = runnerImage(['promote', reference, released, ...signed]);
  await step('promote', 'verify, copy with all proofs, verify there, then move the tag', promote);
  const verify = ['verify', released, ...signed];
  await step('verify', 'the promoted tag, asking only the registry', runnerImage(verify));
  return { released, verify };
}
