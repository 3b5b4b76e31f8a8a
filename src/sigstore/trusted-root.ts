import { createPublicKey, type KeyObject } from 'node:crypto';
import { PublicKeyDetails, TrustedRoot, type PublicKey } from '@sigstore/protobuf-specs';
import { toTrustMaterial, type TrustMaterial } from '@sigstore/verify';
import { AppError } from '../errors/index.ts';
import { keyProblem } from './key-strength.ts';
import { knownMaterial } from './known-certificate.ts';

/** Upper limit of a trusted_root.json, in bytes; the public one has about 7 000. */
export const maxTrustedRootBytes = 1024 * 1024;

export interface Trust {
  readonly material: TrustMaterial;
  /** Log keys by hex id, for messages. */
  readonly logs: number;
  readonly authorities: number;
  readonly timestampAuthorities: number;
  /** The one public key that is trusted, as SPKI (DER); undefined where certificates are. */
  readonly key?: Buffer | undefined;
}

const bad = (found: string, cause?: unknown): AppError =>
  new AppError('sigstore/trusted-root', 'usage', 'the trusted root cannot be used', {
    expected: 'trusted_root.json (application/vnd.dev.sigstore.trustedroot+json), version 0.1 or newer',
    found,
    hint: 'make it with `cosign trusted-root create`, or fetch the public one with `gh attestation trusted-root`',
    cause,
  });

/**
 * readTrustedRoot reads what is trusted: CAs, transparency logs, certificate logs, timestamp
 * authorities. Keyless verification needs the first three: a root that lacks one could only ever
 * refuse, so it is refused here with its name. Throws `sigstore/trusted-root`.
 */
export async function readTrustedRoot(text: string, need: 'keyless' | 'key' = 'keyless'): Promise<Trust> {
  let material: TrustMaterial;
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json !== 'object' || json === null) throw bad('a document that is no object');
    const type = (json as { mediaType?: unknown }).mediaType;
    if (typeof type !== 'string' || !type.startsWith('application/vnd.dev.sigstore.trustedroot'))
      throw bad(`the media type ${JSON.stringify(type)}`);
    material = knownMaterial(toTrustMaterial(TrustedRoot.fromJSON(json)));
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw bad('a malformed document', cause);
  }
  const lacks = [
    material.certificateAuthorities.length === 0 && 'certificate authorities',
    material.tlogs.length === 0 && 'transparency logs (tlogs)',
    material.ctlogs.length === 0 && 'certificate transparency logs (ctlogs)',
  ].filter((one) => one !== false);
  if (need === 'keyless' && lacks.length > 0) throw bad(`a root without ${lacks.join(', ')}`);
  return {
    material,
    logs: material.tlogs.length,
    authorities: material.certificateAuthorities.length,
    timestampAuthorities: material.timestampAuthorities.length,
  };
}

/**
 * keyTrust trusts one public key; with a root also the logs and timestamp authorities of that root. Throws
 * `sigstore/key` for what is no key, or a weak one.
 */
export async function keyTrust(pem: string, root?: Trust): Promise<Trust> {
  let given: KeyObject;
  try {
    given = createPublicKey(pem);
  } catch (cause) {
    throw new AppError('sigstore/key', 'usage', 'the public key cannot be read', {
      expected: 'a public key as PEM',
      cause,
    });
  }
  const weak = keyProblem(given);
  if (weak !== undefined)
    throw new AppError('sigstore/key', 'usage', 'the public key is refused', {
      expected: 'ECDSA on P-256, P-384 or P-521, Ed25519, or RSA of at least 3072 bits',
      found: weak,
    });
  const der = given.export({ type: 'spki', format: 'der' });
  const key: PublicKey = { rawBytes: der, keyDetails: PublicKeyDetails.PKIX_ECDSA_P256_SHA_256 };
  const none = { mediaType: '', tlogs: [], certificateAuthorities: [], ctlogs: [], timestampAuthorities: [] };
  // Bundles name a key by a hint that its writer chooses: only the given key counts, whatever the hint.
  const locate = toTrustMaterial(none, { '': key }).publicKey;
  const publicKey: TrustMaterial['publicKey'] = () => locate('');
  const base = root?.material ?? { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] };
  return {
    material: { ...base, publicKey },
    logs: root?.logs ?? 0,
    authorities: root?.authorities ?? 0,
    timestampAuthorities: root?.timestampAuthorities ?? 0,
    key: der,
  };
}
