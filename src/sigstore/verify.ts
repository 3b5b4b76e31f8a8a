import { bundleFromJSON, type Bundle } from '@sigstore/bundle';
import { dsse } from '@sigstore/core';
import { toSignedEntity, Verifier, type SignedEntity, type Signer as VerifiedSigner } from '@sigstore/verify';
import type { Digest } from '../core/index.ts';
import { crowded, overLimit } from './bundle-limits.ts';
import type { Identity } from './certificate.ts';
import { signedBy } from './key-strength.ts';
import { signerProblem } from './log-entry.ts';
import { demanded, isKeyless, type KeylessSigner, type TrustPolicy } from './policy.ts';
import { predicateProblem } from './predicate.ts';
import { attestationOf, inTotoPayloadType, type Attestation } from './predicate-types.ts';
import { refusalOf, refuse, type Refused } from './refusal.ts';
import { signerCertificates, type SignerCertificate } from './signer-certificate.ts';
import { readStatement, subjectIs, type Statement } from './statement.ts';
import type { Trust } from './trusted-root.ts';

/** Upper limit of a bundle, in bytes: a statement of the largest size in base64, with room. */
export const maxBundleBytes = 8 * 1024 * 1024;

export interface Verified {
  readonly $case: 'verified';
  readonly attestation: Attestation;
  readonly statement: Statement;
  /** Absent when a key signed. */
  readonly identity?: Identity | undefined;
  /** Index in the transparency log, where there is an entry. */
  readonly logIndex?: string | undefined;
  /** RFC 3161 timestamps that were verified. */
  readonly timestamps: number;
}

/** SignedThing is what a signature was made of, and the bytes that were signed. */
export interface SignedThing {
  readonly entity: SignedEntity;
  readonly data: Buffer;
}

/** Verifier holds signed things against one policy and one trust root; it never uses the network. */
export interface BundleVerifier {
  /** Whole check of one bundle about one digest. */
  bundle(bytes: Uint8Array, subject: Digest): Promise<Verified | Refused>;
  /** Signer and log only, for cosign 2's formats; what was signed is the caller's to compare. */
  entity(signed: SignedThing, certificate: Buffer | undefined): Promise<Identity | undefined | Refused>;
  readonly policy: TrustPolicy;
}

/** claimProblem compares whole strings: a longer name with the same beginning is another. */
function claimProblem(identity: Identity, signer: KeylessSigner): Refused | undefined {
  if (identity.issuer !== signer.issuer)
    return refuse('other-issuer', `${identity.issuer} vouches for it, not ${signer.issuer}`);
  if (!signer.identities.includes(identity.name))
    return refuse('other-identity', `${identity.name} signed it, not ${signer.identities.join(' or ')}`);
  for (const name of demanded) {
    const wanted = signer[name];
    const found = identity.extensions[name];
    if (wanted !== undefined && found !== wanted)
      return refuse('other-claim', `${name} is ${found ?? 'not there'}, not ${wanted}`);
  }
  return undefined;
}

function certificateOf(bundle: Bundle): Buffer | undefined {
  const { content } = bundle.verificationMaterial;
  if (content.$case === 'certificate') return content.certificate.rawBytes;
  if (content.$case === 'x509CertificateChain') return content.x509CertificateChain.certificates[0]?.rawBytes;
  return undefined;
}

/** byCurve holds the signature of `data` against the digests of the key's own curve; the library knows SHA-256 only. */
function byCurve(content: SignedEntity['signature'], data: Buffer): SignedEntity['signature'] {
  return {
    signature: content.signature,
    compareSignature: (signature) => content.compareSignature(signature),
    compareDigest: (digest) => content.compareDigest(digest),
    compareSignedDigest: (digest) => content.compareSignedDigest(digest),
    verifySignature: (key) => signedBy(key, data, content.signature),
  };
}

/**
 * checkable leaves out what cannot be checked and is not asked for: a bundle that cosign signed with a key and logged
 * holds by the key alone where no log is trusted.
 */
function checkable(entity: SignedEntity, keyTrust: Trust | undefined): SignedEntity {
  const logless = keyTrust !== undefined && keyTrust.logs === 0;
  const stamps = keyTrust === undefined || keyTrust.timestampAuthorities > 0;
  return {
    ...entity,
    tlogEntries: logless ? [] : entity.tlogEntries,
    timestamps: entity.timestamps.filter(({ $case }) => ($case === 'timestamp-authority' ? stamps : !logless)),
  };
}

/**
 * createVerifier makes a verifier for a policy. Comparing subject, predicate, identity and issuer is
 * done here: @sigstore/verify looks at neither of the first two and takes an identity for a pattern.
 */
export async function createVerifier(trust: Trust, policy: TrustPolicy): Promise<BundleVerifier> {
  const keyless = isKeyless(policy.signer) ? policy.signer : undefined;
  // An air-gapped signature has neither a log entry nor a time; with a root, both are demanded of it, too.
  const threshold = keyless !== undefined || trust.logs > 0 ? 1 : 0;
  const verifier = new Verifier(trust.material, {
    tlogThreshold: threshold,
    ctlogThreshold: keyless === undefined ? 0 : 1,
    timestampThreshold: threshold,
  });

  const certificateFrom = signerCertificates();
  const checked = (entity: SignedEntity): SignedEntity => checkable(entity, keyless === undefined ? trust : undefined);
  const check: BundleVerifier['entity'] = async ({ entity: given, data }, der) => {
    const entity = { ...checked(given), signature: byCurve(given.signature, data) };
    if (keyless !== undefined && der === undefined)
      return refuse('untrusted-key', 'a bare key signed it, and the policy asks for an identity');
    if (keyless === undefined && der !== undefined)
      return refuse('untrusted-key', 'a certificate signed it, and the policy asks for a key');
    let signer: VerifiedSigner;
    let found: SignerCertificate | undefined;
    try {
      found = der === undefined ? undefined : certificateFrom(der);
      signer = verifier.verify(
        found === undefined ? entity : { ...entity, key: { $case: 'certificate', certificate: found.certificate } },
      );
    } catch (error) {
      return refusalOf(error);
    }
    const stamps = entity.timestamps.filter(({ $case }) => $case === 'timestamp-authority').length;
    if (policy.timestamps === 'tsa' && stamps === 0)
      return refuse('no-timestamp', 'the policy asks for an RFC 3161 timestamp');
    const named = der === undefined ? { key: trust.key ?? Buffer.alloc(0) } : { certificate: der };
    for (const { canonicalizedBody } of entity.tlogEntries) {
      const other = signerProblem(canonicalizedBody, named);
      if (other !== undefined) return other;
    }
    if (keyless === undefined || found === undefined) return undefined;
    const { identity, usage } = found;
    if (identity === undefined || signer.identity?.subjectAlternativeName !== identity.name)
      return refuse('certificate', 'the certificate names no signer');
    return usage ?? claimProblem(identity, keyless) ?? identity;
  };

  return {
    policy,
    entity: check,
    async bundle(bytes, subject) {
      if (bytes.length > maxBundleBytes) return refuse('too-large', `${bytes.length} bytes`);
      const many = crowded(bytes);
      if (many !== undefined) return many;
      let bundle: Bundle;
      let entity: SignedEntity;
      try {
        bundle = bundleFromJSON(
          JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')),
        );
        const over = overLimit(bundle);
        if (over !== undefined) return over;
        entity = checked(toSignedEntity(bundle));
      } catch (error) {
        return refuse('malformed-bundle', error instanceof Error ? error.message : String(error));
      }
      if (bundle.content.$case !== 'dsseEnvelope') return refuse('not-a-statement', 'it signs a bare digest');
      const { payload, payloadType, signatures } = bundle.content.dsseEnvelope;
      if (payloadType !== inTotoPayloadType) return refuse('not-a-statement', `it signs ${payloadType}`);
      if (signatures.length !== 1) return refuse('malformed-bundle', `${signatures.length} signatures`);
      const data = dsse.preAuthEncoding(payloadType, payload);
      const identity = await check({ entity, data }, certificateOf(bundle));
      if (identity !== undefined && '$case' in identity) return identity;
      const statement = readStatement(payload);
      if (statement === undefined) return refuse('malformed-statement', 'the payload is no in-toto statement');
      if (!subjectIs(statement, subject))
        return refuse('other-subject', `it speaks about sha256:${statement.subject[0]?.digest['sha256'] ?? '?'}`);
      const attestation = attestationOf(statement.predicateType);
      if (attestation === undefined) return refuse('unknown-predicate', statement.predicateType.slice(0, 200));
      const problem = predicateProblem(attestation, statement, subject, policy);
      if (problem !== undefined) return problem;
      return {
        $case: 'verified',
        attestation,
        statement,
        identity,
        logIndex: entity.tlogEntries[0]?.logIndex,
        timestamps: entity.timestamps.filter(({ $case }) => $case === 'timestamp-authority').length,
      };
    },
  };
}
