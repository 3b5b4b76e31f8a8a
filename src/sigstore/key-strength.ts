import { verify, type KeyObject } from 'node:crypto';

const smallestRsa = 3072;
/** Digests that a curve's signatures are made with, the usual one first. cosign signs with SHA-256 whatever the key. */
const digests: Readonly<Record<string, readonly string[]>> = {
  prime256v1: ['sha256'],
  secp384r1: ['sha384', 'sha256'],
  secp521r1: ['sha512', 'sha256'],
};

/** keyProblem says why a public key is none to trust: NIST SP 800-57 asks for 128 bits of strength, as RSA 3072 has. */
export function keyProblem({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): string | undefined {
  if (type === 'ed25519') return undefined;
  if (type === 'rsa') {
    const bits = details?.modulusLength ?? 0;
    return bits >= smallestRsa ? undefined : `an RSA key of ${bits} bits, at least ${smallestRsa} are asked for`;
  }
  const curve = details?.namedCurve ?? '';
  if (type === 'ec' && Object.hasOwn(digests, curve)) return undefined;
  return `a key of type ${type ?? 'unknown'} ${curve}`.trim();
}

/** signedBy returns whether `key` made the signature, with one of the digests that belong to its curve. */
export function signedBy(key: KeyObject, data: Buffer, signature: Buffer): boolean {
  if (key.asymmetricKeyType === 'ed25519') return verify(null, data, key, signature);
  const names = digests[key.asymmetricKeyDetails?.namedCurve ?? ''] ?? ['sha256'];
  return names.some((name) => verify(name, data, key, signature));
}
