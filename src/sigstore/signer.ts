import { createPrivateKey, createPublicKey, sign, X509Certificate, type KeyObject } from 'node:crypto';
import { X509Certificate as SigstoreCertificate } from '@sigstore/core';
import type { Signer as SigstoreSigner } from '@sigstore/sign';
import { AppError } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import { callService, Unfit, type Patience } from './call.ts';
import { identityOf, type Identity } from './certificate.ts';
import { partsOf, type Parts, type Services } from './services.ts';

/** Signer signs any number of payloads with one key, and says who it is. */
export interface Signer extends SigstoreSigner {
  readonly $case: 'keyless' | 'key';
  readonly services: Patience;
  /** The log and the timestamp authority to show its signatures to. */
  readonly parts: Omit<Parts, 'fulcio'>;
  /** The identity token by which it got its certificate, never to be shown; undefined with a key. */
  readonly token: () => Promise<string | undefined>;
  /** Whom a verifier would name: what the certificate says, or the public key as PEM. */
  readonly self: () => Promise<{ readonly identity: Identity } | { readonly publicKey: string }>;
}

/** A certificate is not used in its last two minutes: the log may take its time. */
const margin = 120_000;

interface Issued {
  readonly pem: string;
  /** Milliseconds since 1970, by this machine's clock, whatever Fulcio's clock says. */
  readonly until: number;
}

/** leafOf reads a certificate and demands that it is for this key (PEM). */
function leafOf(pem: string | undefined, publicKey: string): X509Certificate {
  let leaf: X509Certificate;
  try {
    leaf = new X509Certificate(pem ?? '');
  } catch {
    throw new Unfit('a chain that does not begin with a certificate');
  }
  if (!leaf.publicKey.equals(createPublicKey(publicKey))) throw new Unfit('a certificate for another key');
  return leaf;
}

/**
 * keylessSigner signs with a key that lives in memory only and a certificate that Fulcio issues for `token`. One
 * certificate serves for a whole tree of images; a new one is fetched when it is about to end. Throws
 * `sigstore/fulcio` and what `token` and partsOf throw.
 */
export function keylessSigner(host: Host, services: Services, token: () => Promise<string>): Signer {
  let secret: string | undefined;
  let issued: Promise<Issued> | undefined;
  const { fulcio, ...parts } = partsOf(services, host.clock.now(), () => secret ?? '');
  // FulcioSigner has this key certified anew for every signature; here it signs with the certificate that is there.
  const key = fulcio['keyHolder'] as SigstoreSigner;
  const service = {
    code: 'sigstore/fulcio',
    failed: 'Fulcio issued no certificate',
    expected: 'a certificate for the key that was sent',
    // A chain of two is 2.8 kB (the tests' own Fulcio); a longer one with large keys stays far below this.
    limit: 256 * 1024,
    secret: () => secret,
  };

  const issue = async (): Promise<Issued> => {
    const asked = host.clock.now().getTime();
    secret = await token();
    const own = await key.sign(Buffer.alloc(0));
    const leaf = await callService(host, services, service, async () => {
      const given = await fulcio.sign(Buffer.alloc(0));
      return leafOf(pemOf(given.key), pemOf(own.key));
    });
    const lifetime = Date.parse(leaf.validTo) - Date.parse(leaf.validFrom);
    return { pem: leaf.toString(), until: asked + lifetime - margin };
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
    parts,
    async token() {
      await certificate();
      return secret;
    },
    async self() {
      const identity = identityOf(SigstoreCertificate.parse(await certificate()));
      if (identity !== undefined) return { identity };
      throw new AppError('sigstore/fulcio', 'upstream', 'Fulcio issued a certificate without an identity');
    },
    async sign(data) {
      const pem = await certificate();
      return { signature: (await key.sign(data)).signature, key: { $case: 'x509Certificate', certificate: pem } };
    },
  };
}

type KeyMaterial = Awaited<ReturnType<SigstoreSigner['sign']>>['key'];

const pemOf = (key: KeyMaterial): string => (key.$case === 'publicKey' ? key.publicKey : key.certificate);

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
    key = createPrivateKey({ key: pem, format: 'pem', passphrase });
  } catch {
    // OpenSSL's own words may quote the file.
    throw bad('something that is no private key, or a wrong passphrase (RUNNER_IMAGE_KEY_PASSPHRASE)');
  }
  if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key;
  throw bad(`${key.asymmetricKeyType ?? 'unknown'} ${key.asymmetricKeyDetails?.namedCurve ?? ''}`.trim());
}

/**
 * keySigner signs with a key of the caller's, for networks without Fulcio. It has no key hint: a hint becomes the
 * envelope's keyid, which cosign refuses. Of a signing config only logs of version 1 count: @sigstore/sign would send
 * the key to a log of version 2 as a certificate. Throws `sigstore/key` and what partsOf throws.
 */
export function keySigner(pem: string, services: Services = {}, passphrase?: string): Signer {
  const privateKey = readKey(pem, passphrase);
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }) as string;
  const parts = partsOf(services, new Date(), () => '', 1);
  return {
    $case: 'key',
    services,
    parts,
    token: async () => undefined,
    self: async () => ({ publicKey }),
    sign: async (data) => ({ signature: sign('sha256', data, privateKey), key: { $case: 'publicKey', publicKey } }),
  };
}
