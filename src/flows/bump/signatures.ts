import { join } from 'node:path';
import { AppError } from '../../errors/index.ts';
import {
  architectureOf,
  assetName,
  formatImageRef,
  parseImageRef,
  platforms,
  type BumpablePin,
  type Digest,
  type PinEvidence,
  type Facts,
  type ImagePin,
  type Presence,
  type ReleaseAsset,
  type ReleasePin,
  type SignedBy,
} from '../../core/index.ts';
import type { Host } from '../../host/index.ts';
import type { Registry } from '../../registry/index.ts';
import { upstreamPolicySchema, type BundleVerifier } from '../../sigstore/index.ts';
import type { GitHubReleases } from '../../upstreams/index.ts';
import { makeVerifier, type TrustSources } from '../trust/policy-file.ts';
import { verifyTree, type NodeReport, type Proof } from '../trust/verify-tree.ts';

/** Unsigned: what a pin's policy demands to be signed is not, or not by whom it names. */
export class Unsigned extends AppError {
  constructor(message: string, found: string) {
    super('bump/unsigned', 'upstream', message, {
      expected: 'the signatures that policy.signed names, on every architecture',
      found,
      hint: 'do not take these bytes; ask the publisher',
    });
  }
}

type Subject = Pick<ReleaseAsset, 'platform' | 'name' | 'digest'>;

const kinds = { signature: 'signature', provenance: 'attestation' } as const;

function evidenceOf({ require, key }: SignedBy, proofs: readonly Proof[]): readonly PinEvidence[] {
  return require.map((attestation) => {
    const by = proofs.find((proof) => proof.attestation === attestation)?.identity;
    return { kind: kinds[attestation], source: by ?? `the key ${key ?? ''}` };
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

/** Signatures verifies what `policy.signed` demands of a pin, with this project's own verifier. */
export class Signatures {
  readonly #host: Host;
  readonly #root: string;
  readonly #registry: Registry;
  readonly #github: GitHubReleases;
  readonly #trust: TrustSources;
  readonly #verifiers = new Map<string, Promise<BundleVerifier>>();

  constructor(
    host: Host,
    root: string,
    { registry, github }: { readonly registry: Registry; readonly github: GitHubReleases },
    trust: TrustSources,
  ) {
    this.#host = host;
    this.#root = root;
    this.#registry = registry;
    this.#github = github;
    this.#trust = trust;
  }

  /** evidence returns who signed what a candidate consists of; none where policy demands none. Throws Unsigned. */
  async evidence(pin: BumpablePin, facts: Facts): Promise<readonly PinEvidence[]> {
    if (pin.kind === 'image' && facts.kind === 'image') return this.#image(pin, facts.digest, facts.version);
    if (pin.kind === 'release' && facts.kind === 'release') return this.#assets(pin, facts.assets, facts.version);
    return [];
  }

  /** lost: what is pinned no longer has the signatures that its policy demands, which is losing the pin. */
  async lost(pin: BumpablePin): Promise<Presence | undefined> {
    try {
      if (pin.kind === 'image') await this.#image(pin, pin.digest, pin.version);
      if (pin.kind === 'release') {
        const subjects = platforms.map((platform) => ({
          platform,
          name: assetName(pin, architectureOf(platform)),
          digest: pin.checksums[platform],
        }));
        await this.#assets(pin, subjects, pin.version);
      }
      return undefined;
    } catch (error) {
      if (!(error instanceof Unsigned)) throw error;
      const what =
        pin.kind === 'image'
          ? formatImageRef({ ...parseImageRef(pin.repository), digest: pin.digest })
          : `${'repository' in pin ? pin.repository : pin.name} ${pin.version}`;
      return { $case: 'gone', what: `the signature of ${what}: ${error.facts.found ?? ''}` };
    }
  }

  /** Verifies index and images of every platform. */
  async #image({ policy, ...pin }: ImagePin, digest: Digest, version: string): Promise<readonly PinEvidence[]> {
    if (policy.signed === undefined) return [];
    const { registry, repository } = parseImageRef(pin.repository);
    const verifier = await this.#verifier(policy.signed, version);
    const report = await verifyTree(this.#registry, { registry, repository, digest }, verifier);
    if (!report.ok) throw new Unsigned(`${version} is not signed as policy.signed demands`, lacks(report.nodes));
    return evidenceOf(policy.signed, report.nodes[0]?.proofs ?? []);
  }

  /** Verifies GitHub's artifact attestations of every architecture's asset. */
  async #assets(pin: ReleasePin, subjects: readonly Subject[], version: string): Promise<readonly PinEvidence[]> {
    const { signed } = pin.policy;
    if (signed === undefined) return [];
    const verifier = await this.#verifier(signed, version);
    const nodes = await Promise.all(
      subjects.map((subject) => this.#asset(pin.repository, subject, verifier, signed.require)),
    );
    if (nodes.some(({ missing }) => missing.length > 0))
      throw new Unsigned(`${version} is not attested as policy.signed demands`, lacks(nodes));
    return evidenceOf(signed, nodes[0]?.proofs ?? []);
  }

  async #asset(
    repository: string,
    { platform, name, digest }: Subject,
    verifier: BundleVerifier,
    wanted: SignedBy['require'],
  ): Promise<NodeReport> {
    const bundles = await this.#github.attestations(repository, digest);
    const results = await Promise.all(bundles.map((bundle) => verifier.bundle(bundle, digest)));
    const proofs = results.flatMap((result): Proof[] => {
      if (result.$case !== 'verified') return [];
      const { attestation, identity } = result;
      return [identity ? { attestation, source: name, identity: identity.name } : { attestation, source: name }];
    });
    const refused = results.flatMap((result) =>
      result.$case === 'refused' ? [{ source: name, code: result.code, detail: result.detail }] : [],
    );
    const missing = wanted.filter((one) => !proofs.some(({ attestation }) => attestation === one));
    return { name: `${platform} ${name}`, digest, proofs, missing, refused, unrelated: [] };
  }

  /** The verifier of what a pin demands; `{version}` in identities, refs and builders is the version that is judged. */
  #verifier(demand: SignedBy, version: string): Promise<BundleVerifier> {
    const { issuer, identities = [], repository, ref, trigger, key, require, nodes, legacy, builders } = demand;
    const filled = (values?: readonly string[]) => values?.map((value) => value.replaceAll('{version}', version));
    const keyless = { issuer, identities: filled(identities), repository, ref: filled(ref), trigger };
    const signer = key === undefined ? keyless : { key: join(this.#root, key) };
    // The text leaves out what is undefined, which the schema does not take.
    const text = JSON.stringify({ version: 1, signer, require, nodes, legacy, builders: filled(builders) });
    const known = this.#verifiers.get(text);
    if (known !== undefined) return known;
    const { trustedRoot } = this.#trust;
    // A key is trusted by itself: it has no use for the public root.
    const trust = key === undefined ? this.#trust : { trustedRoot };
    const making = makeVerifier(this.#host, upstreamPolicySchema.parse(JSON.parse(text)), trust);
    this.#verifiers.set(text, making);
    return making;
  }
}
