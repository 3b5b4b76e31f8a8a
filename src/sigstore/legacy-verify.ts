import { createHash, X509Certificate } from 'node:crypto';
import type { Bundle } from '@sigstore/bundle';
import { dsse } from '@sigstore/core';
import { HashAlgorithm } from '@sigstore/protobuf-specs';
import { toSignedEntity } from '@sigstore/verify';
import * as z from 'zod';
import type { Descriptor, Digest } from '../core/index.ts';
import { manyValues, overLimit } from './bundle-limits.ts';
import { legacyAnnotations, legacyTypes } from './legacy.ts';
import { attestationOf, inTotoPayloadType } from './predicate-types.ts';
import { predicateProblem } from './predicate.ts';
import { refuse, type Refused } from './refusal.ts';
import { imageSignature, readStatement, subjectIs } from './statement.ts';
import type { BundleVerifier, Verified } from './verify.ts';

const rekorBundle = z.object({
  SignedEntryTimestamp: z.string(),
  Payload: z.object({
    body: z.string(),
    integratedTime: z.number().int(),
    logIndex: z.number().int(),
    logID: z.string().regex(/^[0-9a-f]{64}$/),
  }),
});
/** The authority's whole answer (RFC 3161, 2.4.2), in base64. */
const rfc3161 = z.object({ SignedRFC3161Timestamp: z.base64().min(1) });
const entryKind = z.object({ kind: z.string(), apiVersion: z.string() });
const simpleSigning = z.object({
  critical: z.object({
    image: z.object({ 'docker-manifest-digest': z.string() }),
    type: z.literal('cosign container image signature'),
  }),
});
const envelope = z.object({
  payloadType: z.literal(inTotoPayloadType),
  payload: z.string(),
  signatures: z.array(z.object({ keyid: z.string().optional(), sig: z.string() })).length(1),
});

type Material = Bundle['verificationMaterial'];

/** material turns cosign 2's annotations into what a bundle would hold. Throws on malformed ones. */
function material(annotations: Readonly<Record<string, string>>): { material: Material; der: Buffer | undefined } {
  const pem = annotations[legacyAnnotations.certificate];
  const der = pem === undefined ? undefined : Buffer.from(new X509Certificate(pem).raw);
  const logged = annotations[legacyAnnotations.bundle];
  const tlogEntries = [];
  if (logged !== undefined) {
    const { SignedEntryTimestamp, Payload } = rekorBundle.parse(JSON.parse(logged));
    const canonicalizedBody = Buffer.from(Payload.body, 'base64');
    const { kind, apiVersion } = entryKind.parse(JSON.parse(canonicalizedBody.toString()));
    tlogEntries.push({
      logIndex: String(Payload.logIndex),
      logId: { keyId: Buffer.from(Payload.logID, 'hex') },
      kindVersion: { kind, version: apiVersion },
      integratedTime: String(Payload.integratedTime),
      inclusionPromise: { signedEntryTimestamp: Buffer.from(SignedEntryTimestamp, 'base64') },
      inclusionProof: undefined,
      canonicalizedBody,
    });
  }
  const content: Material['content'] =
    der === undefined
      ? { $case: 'publicKey', publicKey: { hint: '' } }
      : { $case: 'certificate', certificate: { rawBytes: der } };
  return { der, material: { content, tlogEntries, timestampVerificationData: undefined } };
}

/**
 * stampsOf returns the timestamp of a `.sig` layer, which is one of its signature, as in a bundle. That of an `.att` layer
 * is of the whole envelope, and not read.
 */
function stampsOf(annotations: Readonly<Record<string, string>>): Material['timestampVerificationData'] {
  const annotation = annotations[legacyAnnotations.timestamp];
  if (annotation === undefined) return undefined;
  const { SignedRFC3161Timestamp } = rfc3161.parse(JSON.parse(annotation));
  return { rfc3161Timestamps: [{ signedTimestamp: Buffer.from(SignedRFC3161Timestamp, 'base64') }] };
}

/**
 * verifyLegacyLayer verifies one layer of cosign 2's `.sig` (simple signing) or `.att` (DSSE) tag as
 * strictly as a bundle: signer, certificate, log entry, digest, predicate.
 */
export async function verifyLegacyLayer(
  verifier: BundleVerifier,
  layer: Descriptor,
  payload: Buffer,
  subject: Digest,
): Promise<Verified | Refused> {
  const annotations = layer.annotations ?? {};
  const many = manyValues(payload);
  if (many !== undefined) return many;
  try {
    const found = material(annotations);
    const over = overLimit({ verificationMaterial: found.material });
    if (over !== undefined) return over;
    const common = {
      mediaType: 'application/vnd.dev.sigstore.bundle+json;version=0.1',
      verificationMaterial: found.material,
    };
    const logIndex = found.material.tlogEntries[0]?.logIndex;
    const known = { $case: 'verified', timestamps: 0, logIndex } as const;
    if (layer.mediaType === legacyTypes.signature) {
      const signature = Buffer.from(annotations[legacyAnnotations.signature] ?? '', 'base64');
      const messageDigest = {
        algorithm: HashAlgorithm.SHA2_256,
        digest: createHash('sha256').update(payload).digest(),
      };
      const content: Bundle['content'] = { $case: 'messageSignature', messageSignature: { messageDigest, signature } };
      const timestampVerificationData = stampsOf(annotations);
      const stamped = { ...common, verificationMaterial: { ...found.material, timestampVerificationData }, content };
      const unbounded = overLimit(stamped);
      if (unbounded !== undefined) return unbounded;
      const identity = await verifier.entity({ entity: toSignedEntity(stamped, payload), data: payload }, found.der);
      if (identity !== undefined && '$case' in identity) return identity;
      const said = simpleSigning.safeParse(JSON.parse(payload.toString()));
      if (!said.success) return refuse('malformed-statement', 'no simple signing payload');
      const signed = said.data.critical.image['docker-manifest-digest'];
      if (signed !== subject) return refuse('other-subject', `it speaks about ${signed}`);
      const timestamps = timestampVerificationData?.rfc3161Timestamps.length ?? 0;
      return { ...known, timestamps, attestation: 'signature', statement: imageSignature(subject), identity };
    }
    if (layer.mediaType !== legacyTypes.attestation) return refuse('not-a-statement', `a layer of ${layer.mediaType}`);
    const { payloadType, payload: body, signatures } = envelope.parse(JSON.parse(payload.toString()));
    const dsseEnvelope = {
      payloadType,
      payload: Buffer.from(body, 'base64'),
      signatures: signatures.map(({ sig, keyid = '' }) => ({ keyid, sig: Buffer.from(sig, 'base64') })),
    };
    const content: Bundle['content'] = { $case: 'dsseEnvelope', dsseEnvelope };
    const data = dsse.preAuthEncoding(payloadType, dsseEnvelope.payload);
    const identity = await verifier.entity({ entity: toSignedEntity({ ...common, content }), data }, found.der);
    if (identity !== undefined && '$case' in identity) return identity;
    const statement = readStatement(dsseEnvelope.payload);
    if (statement === undefined) return refuse('malformed-statement', 'the payload is no in-toto statement');
    if (!subjectIs(statement, subject)) return refuse('other-subject', 'it speaks about another digest');
    const attestation = attestationOf(statement.predicateType);
    if (attestation === undefined) return refuse('unknown-predicate', statement.predicateType.slice(0, 200));
    const problem = predicateProblem(attestation, statement, subject, verifier.policy, identity?.name);
    return problem ?? { ...known, attestation, statement, identity };
  } catch (error) {
    return refuse('malformed-bundle', error instanceof Error ? error.message.slice(0, 300) : String(error));
  }
}
