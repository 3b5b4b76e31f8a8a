import type { Digest } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import {
  approvalsProblem,
  refuse,
  unusedSource,
  type Attestation,
  type BundleVerifier,
  type Refused,
  type TrustPolicy,
  type Validity,
  type Verified,
} from '../../sigstore/index.ts';

/** What a node may lack: an attestation of the signer, or approvals. */
export type Lacking = Attestation | 'approval';

/** The policy's own signer, whatever credential it has at the time. */
const main = 'signer';

/** A signer with one of its credentials. */
interface Candidate {
  readonly name: string;
  readonly verifier: BundleVerifier;
  readonly valid: Validity;
}

/** withoutApprovals is the policy of who signs: an approver's signature is not the signer's, and does not stand for it. */
export function withoutApprovals(policy: TrustPolicy): TrustPolicy {
  return { ...policy, approvers: undefined, approvals: undefined };
}

const hasSeveral = ({ previousSigners, approvers, signerValid, deny }: TrustPolicy): boolean =>
  [previousSigners, approvers, signerValid, deny].some((part) => part !== undefined);

function windowProblem({ from, until }: Validity, { signedAt }: Verified): Refused | undefined {
  if (from === undefined && until === undefined) return undefined;
  if (signedAt === undefined)
    return refuse('no-timestamp', 'the policy says when this signer is valid, and no time is vouched for');
  const time = signedAt.getTime();
  if (from !== undefined && time < Date.parse(from))
    return refuse('not-valid-then', `signed at ${signedAt.toISOString()}, valid from ${from}`);
  if (until !== undefined && time >= Date.parse(until))
    return refuse('not-valid-then', `signed at ${signedAt.toISOString()}, valid until ${until}`);
  return undefined;
}

/** Another signer's bundle is refused for that by each but one: what is wrong with it is said by the one it is of. */
const ofAnother = new Set([
  'other-identity',
  'other-issuer',
  'other-claim',
  'untrusted-key',
  'certificate',
  'signature',
]);

function judge({ name, valid }: Candidate, result: Verified, policy: TrustPolicy): Verified | Refused {
  const who = result.identity?.name;
  if (who !== undefined && policy.deny?.identities?.includes(who) === true)
    return refuse('denied', `${who} is denied by the policy`);
  if (name !== main && result.attestation !== 'signature')
    return refuse('other-identity', `${name} approves images, and attests nothing about them`);
  return windowProblem(valid, result) ?? { ...result, signer: name };
}

/**
 * severalSigners joins a verifier for each credential of a policy. Undefined for a policy with one signer and nothing
 * denied. `make` makes the verifier of one signer. Throws `trust/policy`, and what `make` throws.
 */
export async function severalSigners(
  policy: TrustPolicy,
  make: (policy: TrustPolicy) => Promise<BundleVerifier>,
): Promise<BundleVerifier | undefined> {
  const problem = approvalsProblem(policy) ?? unusedSource(policy);
  if (problem !== undefined) throw new AppError('trust/policy', 'usage', problem);
  if (!hasSeveral(policy)) return undefined;
  const { signer, signerValid = {}, previousSigners = [], approvers = {} } = policy;
  const single = { ...withoutApprovals(policy), previousSigners: undefined, signerValid: undefined, deny: undefined };
  const candidate = async (name: string, { from, until, ...own }: TrustPolicy['signer'] & Validity) => {
    const verifier = await make({ ...single, signer: own });
    return { name, verifier, valid: { from, until } };
  };
  const own = [{ ...signer, ...signerValid }, ...previousSigners];
  const named = [
    ...own.map((one) => [main, one] as const),
    ...Object.entries(approvers).flatMap(([name, all]) => all.map((one) => [name, one] as const)),
  ];
  const candidates = await Promise.all(named.map(([name, one]) => candidate(name, one)));
  const [first] = candidates;
  return {
    policy,
    async bundle(bytes, subject) {
      const refused: Refused[] = [];
      for (const one of candidates) {
        const result = await one.verifier.bundle(bytes, subject);
        const judged = result.$case === 'verified' ? judge(one, result, policy) : result;
        if (judged.$case === 'verified') return judged;
        refused.push(judged);
      }
      return refused.find(({ code }) => !ofAnother.has(code)) ?? refused[0] ?? refuse('untrusted-key', 'no signer');
    },
    // cosign 2's tags hold what `signer` signed: no time is read of them, and no approver writes there.
    async entity(signed, certificate) {
      if (first === undefined || Object.keys(signerValid).length > 0)
        return refuse('no-timestamp', 'the policy says when its signer is valid, and legacy tags state no time');
      const identity = await first.verifier.entity(signed, certificate);
      if (identity === undefined || '$case' in identity) return identity;
      const denied = policy.deny?.identities?.includes(identity.name) === true;
      return denied ? refuse('denied', `${identity.name} is denied by the policy`) : identity;
    },
  };
}

interface Held {
  readonly attestation: Attestation;
  readonly signer?: string | undefined;
}

/** isDenied returns whether a policy refuses an image, no matter who signed it. */
export const isDenied = ({ deny }: TrustPolicy, digest: Digest): boolean => deny?.digests?.includes(digest) === true;

/** missingOf says what a node lacks of what its policy asks: the signer's attestations, and approvals of others. */
export function missingOf(
  policy: TrustPolicy,
  digest: Digest,
  wanted: readonly Attestation[],
  proofs: readonly Held[],
): readonly Lacking[] {
  // Also where nothing was asked of this node: one image of an index may be denied.
  if (isDenied(policy, digest)) return policy.require;
  const own = new Set(proofs.filter(({ signer = main }) => signer === main).map(({ attestation }) => attestation));
  const missing: Lacking[] = wanted.filter((attestation) => !own.has(attestation));
  const approvers = Object.keys(policy.approvers ?? {});
  if (approvers.length === 0 || wanted.length === 0) return missing;
  const approved = new Set(proofs.flatMap(({ signer = main }) => (signer === main ? [] : [signer])));
  return approved.size >= (policy.approvals ?? approvers.length) ? missing : [...missing, 'approval'];
}
