import { createPublicKey, X509Certificate } from 'node:crypto';
import * as z from 'zod';
import { AppError } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import { ask, readAs, unanswered, type Question } from './ask.ts';
import { subjectOf } from './identity-token.ts';
import { under, type Services } from './services.ts';

/** A chain of two is 2.8 kB (the tests' own Fulcio); a longer one with large keys stays far below this. */
const maxAnswer = 256 * 1024;

const signed = z.object({ chain: z.object({ certificates: z.array(z.string()).min(1).max(20) }) });
/** `signedCertificateDetachedSct` is what an instance without a certificate log gives. */
const answer = z.union([
  z.object({ signedCertificateEmbeddedSct: signed }),
  z.object({ signedCertificateDetachedSct: signed }),
]);

/** KeyHolder is whose key the certificate shall be about. */
export interface KeyHolder {
  /** PEM. */
  readonly publicKey: string;
  readonly sign: (data: Buffer) => Buffer;
}

const spki = { type: 'spki', format: 'der' } as const;

function leafOf(question: Question, pem: string | undefined): X509Certificate {
  try {
    return new X509Certificate(pem ?? '');
  } catch {
    throw unanswered(question, { expected: 'a certificate as PEM', found: 'something that is none' });
  }
}

/**
 * issueCertificate has Fulcio certify a key for whom the token names (sigstore/fulcio, fulcio.proto,
 * CreateSigningCertificate); the key is proven by a signature over the token's subject. Throws `sigstore/fulcio` and
 * `sigstore/bad-token`; the token is in no message.
 */
export async function issueCertificate(
  host: Host,
  services: Services,
  token: string,
  holder: KeyHolder,
): Promise<X509Certificate> {
  const subject = subjectOf(token);
  if (subject === undefined)
    throw new AppError('sigstore/bad-token', 'upstream', 'the identity token cannot be used', {
      expected: 'a token with a subject, or with an address that its issuer verified',
      found: `${token.length} characters without one`,
    });
  const question: Question = {
    code: 'sigstore/fulcio',
    failed: 'Fulcio gave no certificate',
    url: under(services.fulcio, '/api/v2/signingCert'),
    limit: maxAnswer,
    secret: token,
    body: {
      credentials: { oidcIdentityToken: token },
      publicKeyRequest: {
        publicKey: { algorithm: 'ECDSA', content: holder.publicKey },
        proofOfPossession: holder.sign(Buffer.from(subject)).toString('base64'),
      },
    },
  };
  const { bytes } = await ask(host, services, question);
  const given = readAs(question, bytes, answer, 'a chain of certificates');
  const { chain } =
    'signedCertificateEmbeddedSct' in given ? given.signedCertificateEmbeddedSct : given.signedCertificateDetachedSct;
  const leaf = leafOf(question, chain.certificates[0]);
  const [own, theirs] = [createPublicKey(holder.publicKey), leaf.publicKey];
  if (!theirs.export(spki).equals(own.export(spki)))
    throw unanswered(question, { expected: 'a certificate for the key that was sent', found: 'one for another key' });
  return leaf;
}
