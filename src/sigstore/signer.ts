import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import type { Signer as SigstoreSigner } from '@sigstore/sign';
import { identityOf, type Identity } from './certificate.ts';
import { AppError } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import type { Services } from './services.ts';

/** Signer signs any number of payloads with one key, and says who it is. */
export interface Signer extends SigstoreSigner {
  readonly $case: 'keyless' | 'key';
  readonly services: Services;
  /** What must never be told. */
  readonly secret: () => string | undefined;
  /** Whom a verifier would name: what the certificate says, or the public key as PEM. */
  readonly self: () => Promise<{ readonly identity: Identity } | { readonly publicKey: string }>;
}

const pemOf = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }) as string;

/** A certificate is not used in its last two minutes: the log may take its time. */
const margin = 120_000;

interface Issued {
  readonly pem: string;
  /** Milliseconds since 1970, by this machine's clock, whatever Fulcio's clock says. */
  readonly until: number;
}

/**
 * keylessSigner signs with a key that lives in memory only and a certificate that Fulcio gives for
 * `token`. One certificate serves for a whole tree of images; a new one is fetched when it is about
 * to end. Throws `sigstore/fulcio` and what `token` throws.
 */
export function keylessSigner(host: Host, services: Services, token: () => Promise<string>): Signer {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const raw = (data: Buffer): Buffer => sign('sha256', data, privateKey);
  let secret: string | undefined;
  let issued: Promise<Issued> | undefined;

  const issue = async (): Promise<Issued> => {
    const { issueCertificate } = await import('./fulcio.ts');
    const asked = host.clock.now().getTime();
    secret = await token();
    const certificate = await issueCertificate(host, services, secret, { publicKey: pemOf(publicKey), sign: raw });
    const lifetime = Date.parse(certificate.validTo) - Date.parse(certificate.validFrom);
    return { pem: certificate.toString(), until: asked + lifetime - margin };
  };

  // Set before anything is awaited, so that signatures made at once share one certificate.
  const fresh = (): Promise<Issued> => {
    const asking = issue();
    issued = asking;
    asking.catch(() => {
      if (issued === asking) issued = undefined;
    });
    return asking;
  };

  const certificate = async (): Promise<string> => {
    const mine = issued ?? fresh();
    const known = await mine;
    if (host.clock.now().getTime() < known.until) return known.pem;
    return (await (issued === mine || issued === undefined ? fresh() : issued)).pem;
  };

  return {
    $case: 'keyless',
    services,
    secret: () => secret,
    async self() {
      const { X509Certificate } = await import('@sigstore/core');
      const identity = identityOf(X509Certificate.parse(await certificate()));
      if (identity === undefined)
        throw new AppError('sigstore/fulcio', 'upstream', 'Fulcio gave a certificate that names nobody');
      return { identity };
    },
    sign: async (data) => {
      const pem = await certificate();
      return { signature: raw(data), key: { $case: 'x509Certificate', certificate: pem } };
    },
  };
}

/** readKey accepts what OpenSSL writes: PKCS #8 or SEC 1, encrypted or not, on the curve P-256. */
function readKey(pem: string, passphrase: string | undefined): KeyObject {
  const bad = (found: string): AppError =>
    new AppError('sigstore/key', 'usage', 'the signing key cannot be used', {
      expected: 'an ECDSA P-256 private key as PEM (openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256)',
      found,
    });
  if (pem.includes('ENCRYPTED SIGSTORE PRIVATE KEY') || pem.includes('ENCRYPTED COSIGN PRIVATE KEY'))
    throw bad('a key in cosign’s own encryption; import one from OpenSSL instead');
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: pem, format: 'pem', ...(passphrase === undefined ? {} : { passphrase }) });
  } catch {
    // OpenSSL's own words may quote the file.
    throw bad('something that is no private key, or a wrong passphrase (RUNNER_IMAGE_KEY_PASSPHRASE)');
  }
  if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key;
  throw bad(`${key.asymmetricKeyType ?? 'unknown'} ${key.asymmetricKeyDetails?.namedCurve ?? ''}`.trim());
}

/**
 * keySigner signs with a key of the caller's, for networks without Fulcio. It has no key hint: a
 * hint becomes the envelope's keyid, which cosign refuses. Throws `sigstore/key`.
 */
export function keySigner(pem: string, services: Omit<Services, 'fulcio'> = {}, passphrase?: string): Signer {
  const privateKey = readKey(pem, passphrase);
  const publicKey = pemOf(createPublicKey(privateKey));
  return {
    $case: 'key',
    services: { ...services, fulcio: '' },
    secret: () => undefined,
    self: async () => ({ publicKey }),
    sign: async (data) => ({ signature: sign('sha256', data, privateKey), key: { $case: 'publicKey', publicKey } }),
  };
}
