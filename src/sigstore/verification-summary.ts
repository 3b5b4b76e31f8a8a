import * as z from 'zod';
import { digestOf, hexOf, type Digest } from '../core/index.ts';
import { predicateTypes } from './predicate-types.ts';
import { digestSet, resource } from './provenance-schema.ts';
import type { Statement } from './statement.ts';

/** Levels that this program claims; the specification has more, and lets verifiers add others without the prefix SLSA_. */
const level = z.string().regex(/^(?:FAILED|SLSA_(?:BUILD|SOURCE)_LEVEL_(?:UNEVALUATED|[0-3])|(?!SLSA_).+)$/);

/** A verification summary (slsa.dev/spec/v1.0/verification_summary). Unknown members are a later version's. */
export const summarySchema = z.object({
  verifier: z.object({ id: z.url(), version: z.record(z.string(), z.string()).optional() }),
  timeVerified: z.iso.datetime({ offset: true }).optional(),
  resourceUri: z.url(),
  policy: z.object({ uri: z.url(), digest: digestSet.optional() }),
  inputAttestations: z.array(resource).optional(),
  verificationResult: z.enum(['PASSED', 'FAILED']),
  verifiedLevels: z.array(level).min(1),
  dependencyLevels: z.record(z.string(), z.number()).optional(),
  slsaVersion: z.string().optional(),
});
export type VerificationSummary = Readonly<z.infer<typeof summarySchema>>;

/** The verifier of a summary that no CI identity stands behind; no policy should trust it. */
export const localVerifier = 'https://ambient-code.io/openshell-runner-images/verifiers/local';

export interface SummaryFacts {
  /** `quay.io/o/runner`. */
  readonly repository: string;
  /** What was verified: the image that was named first, then what lies beneath it. */
  readonly subjects: readonly Digest[];
  readonly verifier: string;
  readonly toolVersion: string;
  readonly time: Date;
  /** The policy as it was read or, made of options, as JSON. */
  readonly policy: Uint8Array | string;
  /** Digests of the attestations that were accepted. */
  readonly inputs: readonly Digest[];
  readonly passed: boolean;
  /** Every subject has provenance that the policy accepted. */
  readonly provenance: boolean;
}

/**
 * Provenance that its policy's signer signed is level 1 (slsa.dev/spec/v1.0/levels). Whether its builder reaches more is
 * nothing that can be seen in an attestation: whoever trusts the builder may conclude it.
 */
const levelsOf = ({ passed, provenance }: SummaryFacts): string[] => {
  if (!passed) return ['FAILED'];
  return [provenance ? 'SLSA_BUILD_LEVEL_1' : 'SLSA_BUILD_LEVEL_UNEVALUATED'];
};

/** makeSummary says what a verification saw, as an in-toto statement that `attest --vsa` signs. */
export function makeSummary(facts: SummaryFacts): Statement {
  const { repository, subjects, verifier, toolVersion, time, inputs, passed } = facts;
  const policy = digestOf(facts.policy);
  const [root = policy] = subjects;
  const name = repository.split('/').at(-1) ?? repository;
  const query = `repository_url=${encodeURIComponent(repository)}`;
  const predicate: VerificationSummary = {
    verifier: { id: verifier, version: { 'runner-image': toolVersion } },
    timeVerified: time.toISOString().replace(/\.\d+Z$/, 'Z'),
    resourceUri: `pkg:oci/${name}@${encodeURIComponent(root)}?${query}`,
    policy: {
      // A name that follows from the bytes (RFC 6920): where a policy is kept is nothing that was observed.
      uri: `ni:///sha-256;${Buffer.from(hexOf(policy), 'hex').toString('base64url')}`,
      digest: { sha256: hexOf(policy) },
    },
    inputAttestations: inputs.map((digest) => ({ digest: { sha256: hexOf(digest) } })),
    verificationResult: passed ? 'PASSED' : 'FAILED',
    verifiedLevels: levelsOf(facts),
    slsaVersion: '1.0',
  };
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: subjects.map((digest) => ({ name: repository, digest: { sha256: hexOf(digest) } })),
    predicateType: predicateTypes.summary,
    predicate: { ...predicate },
  };
}
