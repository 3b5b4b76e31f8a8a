import type { KeyObject } from 'node:crypto';
import { derOf, logIdOf } from './keys.ts';

export interface Trusted {
  readonly url: string;
  readonly since: Date;
  readonly fulcio: Buffer;
  readonly rekor: KeyObject;
  readonly ct: KeyObject;
  /** Leaf, then root. */
  readonly tsa: readonly Buffer[];
}

function log(url: string, key: KeyObject, since: Date): object {
  return {
    baseUrl: url,
    hashAlgorithm: 'SHA2_256',
    publicKey: {
      rawBytes: derOf(key).toString('base64'),
      keyDetails: 'PKIX_ECDSA_P256_SHA_256',
      validFor: { start: since.toISOString() },
    },
    logId: { keyId: logIdOf(key).toString('base64') },
  };
}

function authority(url: string, name: string, chain: readonly Buffer[], since: Date): object {
  return {
    subject: { organization: 'sigstore.mock', commonName: name },
    uri: url,
    certChain: { certificates: chain.map((der) => ({ rawBytes: der.toString('base64') })) },
    validFor: { start: since.toISOString() },
  };
}

/** trustedRoot writes trusted_root.json v0.1. There is no `operator`: cosign 2.5 refuses a root that has it. */
export function trustedRoot({ url, since, fulcio, rekor, ct, tsa }: Trusted): object {
  return {
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [log(url, rekor, since)],
    certificateAuthorities: [authority(url, 'sigstore', [fulcio], since)],
    ctlogs: [log(url, ct, since)],
    timestampAuthorities: [authority(url, 'tsa', tsa, since)],
  };
}
