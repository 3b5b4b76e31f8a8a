import { join } from 'node:path';
import {
  formatImageRef,
  parseImageRef,
  type Digest,
  type Evidence,
  type ImagePin,
  type Platform,
  type ReleasePin,
  type SignedBy,
} from '../../core/index.ts';
import type { Presence } from '../../pins/bump/index.ts';
import { policySchema, type BundleVerifier } from '../../sigstore/index.ts';
import { makeVerifier } from '../trust/policy-file.ts';
import { verifyTree, type NodeReport, type Proof } from '../trust/verify-tree.ts';
import { listAttestations } from './github.ts';
import { evidenceOf, Unsigned, type Sources } from './resolver.ts';

const kinds = { signature: 'signature', provenance: 'attestation' } as const;

/** verifierOf makes the verifier of what a pin demands; `{version}` in an identity is the version that is judged. */
async function verifierOf(sources: Sources, demand: SignedBy, version: string): Promise<BundleVerifier> {
  const { issuer, identities, repository, key, require, nodes, legacy } = demand;
  const given = (identities ?? []).map((identity) => identity.replaceAll('{version}', version));
  const keyless = { issuer, identities: given, ...(repository === undefined ? {} : { repository }) };
  const signer = key === undefined ? keyless : { key: join(sources.root, key) };
  const policy = policySchema.parse({ version: 1, signer, require, nodes, legacy });
  return sources.once(`verifier ${JSON.stringify(policy)}`, () => makeVerifier(sources.host, policy, sources.trust));
}

function evidenceFrom({ host }: Sources, { require, key }: SignedBy, proofs: readonly Proof[]): readonly Evidence[] {
  return require.map((attestation) => {
    const by = proofs.find((proof) => proof.attestation === attestation)?.identity;
    return evidenceOf(host, kinds[attestation], by ?? `the key ${key ?? ''}`);
  });
}

/** Every node that lacks something, by name, and why what is there does not count. */
function lacks(nodes: readonly NodeReport[]): string {
  return nodes
    .filter(({ missing }) => missing.length > 0)
    .map(({ name, digest, missing, refused }) => {
      const why = refused.map(({ code, detail }) => `${code}: ${detail}`).join('; ');
      return `${name} ${digest} lacks ${missing.join(', ')}${why === '' ? '' : ` (${why})`}`;
    })
    .join('; ');
}

/** imageSignatures verifies index and images of every platform. Throws Unsigned, naming each that lacks one. */
export async function imageSignatures(
  sources: Sources,
  pin: ImagePin,
  digest: Digest,
  version: string,
): Promise<readonly Evidence[]> {
  const { signed } = pin.policy;
  if (signed === undefined) return [];
  const { registry, repository } = parseImageRef(pin.repository);
  const verifier = await verifierOf(sources, signed, version);
  const report = await verifyTree(sources.registry, { registry, repository, digest }, verifier);
  if (!report.ok) throw new Unsigned(`${version} is not signed as policy.signed demands`, lacks(report.nodes));
  return evidenceFrom(sources, signed, report.nodes[0]?.proofs ?? []);
}

export interface Subject {
  readonly platform: Platform;
  readonly name: string;
  readonly digest: Digest;
}

/** assetAttestations verifies GitHub's artifact attestations of every architecture's asset. Throws Unsigned. */
export async function assetAttestations(
  sources: Sources,
  pin: ReleasePin,
  subjects: readonly Subject[],
  version: string,
): Promise<readonly Evidence[]> {
  const { signed } = pin.policy;
  if (signed === undefined) return [];
  const verifier = await verifierOf(sources, signed, version);
  const judged = await Promise.all(
    subjects.map(async ({ platform, name, digest }) => {
      const bundles = await listAttestations(sources, pin.repository, digest);
      const results = await Promise.all(bundles.map((bundle) => verifier.bundle(bundle, digest)));
      const proofs = results.flatMap((result): Proof[] => {
        if (result.$case !== 'verified') return [];
        const who = result.identity === undefined ? {} : { identity: result.identity.name };
        return [{ attestation: result.attestation, source: name, ...who }];
      });
      const missing = signed.require.filter((wanted) => !proofs.some(({ attestation }) => attestation === wanted));
      const refused = results.flatMap((result) =>
        result.$case === 'refused' ? [{ source: name, code: result.code, detail: result.detail }] : [],
      );
      return { name: `${platform} ${name}`, digest, proofs, missing, refused };
    }),
  );
  if (judged.some(({ missing }) => missing.length > 0))
    throw new Unsigned(`${version} is not attested as policy.signed demands`, lacks(judged));
  return evidenceFrom(sources, signed, judged[0]?.proofs ?? []);
}

/** What is pinned has to keep the signatures that its policy demands: losing them is losing the pin. */
async function lost(what: string, verify: () => Promise<unknown>): Promise<Presence | undefined> {
  try {
    await verify();
    return undefined;
  } catch (error) {
    if (!(error instanceof Unsigned)) throw error;
    return { $case: 'gone', what: `the signature of ${what}: ${error.facts.found ?? ''}` };
  }
}

export const lostImageSignature = (sources: Sources, pin: ImagePin): Promise<Presence | undefined> =>
  lost(formatImageRef({ ...parseImageRef(pin.repository), digest: pin.digest }), () =>
    imageSignatures(sources, pin, pin.digest, pin.version),
  );

export const lostAssetAttestation = (
  sources: Sources,
  pin: ReleasePin,
  subjects: readonly Subject[],
): Promise<Presence | undefined> =>
  lost(`${pin.repository} ${pin.version}`, () => assetAttestations(sources, pin, subjects, pin.version));
