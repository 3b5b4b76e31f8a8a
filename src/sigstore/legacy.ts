import { createHash, X509Certificate } from 'node:crypto';
import { bundleFromJSON, envelopeToJSON, type Bundle } from '@sigstore/bundle';
import { digestOf, mediaTypes, type Descriptor, type Digest } from '../core/index.ts';
import { AppError } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import type { Signer } from './signer.ts';
import { witnesses } from './witnesses.ts';

/** Media types of cosign 2's layers. */
export const legacyTypes = {
  signature: 'application/vnd.dev.cosign.simplesigning.v1+json',
  attestation: 'application/vnd.dsse.envelope.v1+json',
} as const;

/** Annotations of cosign 2's layers (cosign, specs/SIGNATURE_SPEC.md). */
export const legacyAnnotations = {
  signature: 'dev.cosignproject.cosign/signature',
  certificate: 'dev.sigstore.cosign/certificate',
  bundle: 'dev.sigstore.cosign/bundle',
  timestamp: 'dev.sigstore.cosign/rfc3161timestamp',
  predicateType: 'predicateType',
} as const;

/** LegacyLayer is one signature as cosign 2 stores it: the signed bytes as a blob, the rest as annotations. */
export interface LegacyLayer {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
}

type Material = Pick<Bundle['verificationMaterial'], 'tlogEntries'>;

const needsVersion1 = (): AppError =>
  new AppError('sigstore/legacy', 'usage', 'cosign 2’s tags need a log entry of Rekor v1', {
    expected: 'a log entry with a signed entry timestamp',
    found: 'a log of version 2, whose entries have none',
    hint: 'leave out --legacy, or sign with a Rekor v1',
  });

/** The log entry as cosign 2 keeps it; its timestamp annotation is left off, older ones refuse ours. */
function rekorAnnotation({ tlogEntries }: Material): Record<string, string> {
  const [entry] = tlogEntries;
  const promise = entry?.inclusionPromise?.signedEntryTimestamp;
  if (entry === undefined) return {};
  if (promise === undefined) throw needsVersion1();
  const value = {
    SignedEntryTimestamp: promise.toString('base64'),
    Payload: {
      body: entry.canonicalizedBody.toString('base64'),
      integratedTime: Number(entry.integratedTime),
      logIndex: Number(entry.logIndex),
      logID: entry.logId.keyId.toString('hex'),
    },
  };
  return { [legacyAnnotations.bundle]: JSON.stringify(value) };
}

/** Annotations may not be undefined: without a certificate there is none. */
function certificateAnnotation(pem: string | undefined): Record<string, string> {
  return pem === undefined ? {} : { [legacyAnnotations.certificate]: pem };
}

function layerOf(bytes: Buffer, mediaType: string, annotations: Readonly<Record<string, string>>): LegacyLayer {
  return { bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length, annotations } };
}

/**
 * signLegacy makes the layer of a `.sig` tag: a second signature, over cosign's own payload. Throws `sigstore/legacy`
 * when the log is Rekor v2, and what signing throws.
 */
export async function signLegacy(
  host: Host,
  signer: Signer,
  subject: Digest,
  repository: string,
): Promise<LegacyLayer> {
  const payload = Buffer.from(
    JSON.stringify({
      critical: {
        identity: { 'docker-reference': repository },
        image: { 'docker-manifest-digest': subject },
        type: 'cosign container image signature',
      },
      optional: null,
    }),
  );
  if (signer.parts.logVersion > 1) throw needsVersion1();
  const { signature, key } = await signer.sign(payload);
  const messageDigest = { algorithm: 1, digest: createHash('sha256').update(payload).digest() };
  const pem = key.$case === 'x509Certificate' ? key.certificate : key.publicKey;
  const content = { $case: 'messageSignature', messageSignature: { messageDigest, signature } } as const;
  const tlogEntries = [];
  for (const witness of witnesses(host, signer, { tsa: false }))
    tlogEntries.push(...((await witness.testify(content, pem)).tlogEntries ?? []));
  return layerOf(payload, legacyTypes.signature, {
    [legacyAnnotations.signature]: signature.toString('base64'),
    ...certificateAnnotation(key.$case === 'x509Certificate' ? pem : undefined),
    ...rekorAnnotation({ tlogEntries }),
  });
}

/**
 * legacyAttestation makes the layer of an `.att` tag out of a bundle: the same signature and log
 * entry. It must be the very bytes that were logged, `JSON.stringify(envelopeToJSON(…))`.
 */
export async function legacyAttestation(bundleBytes: Uint8Array, predicateType: string): Promise<LegacyLayer> {
  const bundle = bundleFromJSON(JSON.parse(Buffer.from(bundleBytes).toString('utf8')));
  if (bundle.content.$case !== 'dsseEnvelope') throw new TypeError('the bundle holds no envelope');
  const { content } = bundle.verificationMaterial;
  const pem =
    content.$case === 'certificate' ? new X509Certificate(content.certificate.rawBytes).toString() : undefined;
  return layerOf(Buffer.from(JSON.stringify(envelopeToJSON(bundle.content.dsseEnvelope))), legacyTypes.attestation, {
    [legacyAnnotations.signature]: '',
    [legacyAnnotations.predicateType]: predicateType,
    ...certificateAnnotation(pem),
    ...rekorAnnotation(bundle.verificationMaterial),
  });
}

/** legacyManifest returns the manifest of a tag, with its config as cosign 2 writes it. */
export function legacyManifest(layers: readonly Descriptor[]): {
  readonly bytes: Buffer;
  readonly config: LegacyLayer;
} {
  const configBytes = Buffer.from(
    JSON.stringify({
      architecture: '',
      created: '0001-01-01T00:00:00Z',
      history: layers.map(() => ({ created: '0001-01-01T00:00:00Z' })),
      os: '',
      rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
      config: {},
    }),
  );
  const config = layerOf(configBytes, mediaTypes.config, {});
  const { mediaType, digest, size } = config.descriptor;
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config: { mediaType, digest, size }, layers };
  return { bytes: Buffer.from(JSON.stringify(manifest)), config };
}
