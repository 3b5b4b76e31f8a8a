import { verify } from 'node:crypto';
import { fulcioHandler, initializeCA, initializeCTLog } from '@sigstore/mock';
import { readClaims } from './identity.ts';
import { newKeyPair, type KeyPair } from './keys.ts';

export interface Answer {
  readonly status: number;
  readonly body: string | Buffer;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Fulcio {
  readonly rootCertificate: Buffer;
  readonly ctKeys: KeyPair;
  readonly path: string;
  answer(body: string, authorization: string | undefined): Promise<Answer>;
  /** The older API, which cosign 2 speaks. */
  readonly pathV1: string;
  answerV1(body: string, authorization: string | undefined): Promise<Answer>;
}

/** The mock takes a fixed clock; its own accessor is replaced, so that tests can move the time. */
export function setClock(service: unknown, now: () => unknown): void {
  (service as { getCurrentTime: () => unknown }).getCurrentTime = now;
}

interface Request {
  credentials?: { oidcIdentityToken?: string };
  publicKeyRequest?: { publicKey: { content: string }; proofOfPossession: string };
}

const refuse = (message: string): Answer => ({
  status: 400,
  body: JSON.stringify({ code: 3, message, details: [] }),
  type: 'application/json',
});

/** Fulcio refuses what the mock would sign: an expired or foreign token, a key that is not the caller's. */
function problem(request: Request, token: string, now: Date): string | undefined {
  let claims;
  try {
    claims = readClaims(token);
  } catch {
    return 'There was an error processing the identity token: malformed';
  }
  const { exp, aud } = claims;
  if (typeof exp !== 'number' || exp * 1000 < now.getTime())
    return 'There was an error processing the identity token: token is expired';
  if (aud !== 'sigstore') return 'There was an error processing the identity token: expected audience "sigstore"';
  const asked = request.publicKeyRequest;
  if (asked === undefined) return undefined;
  const proven = verify(
    'sha256',
    Buffer.from(claims.sub),
    asked.publicKey.content,
    Buffer.from(asked.proofOfPossession, 'base64'),
  );
  return proven ? undefined : 'The signature supplied in the request could not be verified';
}

interface RequestV1 {
  readonly publicKey: { readonly content: string };
  readonly signedEmailAddress: string;
}

/** fromV1 rewrites cosign 2's request as the newer API has it: the key as plain PEM. */
function fromV1(body: string): string {
  const { publicKey, signedEmailAddress } = JSON.parse(body) as RequestV1;
  const content = Buffer.from(publicKey.content, 'base64').toString();
  return JSON.stringify({
    publicKeyRequest: { publicKey: { algorithm: 'ECDSA', content }, proofOfPossession: signedEmailAddress },
  });
}

/**
 * startFulcio corrects @sigstore/mock 0.13.0: Fulcio answers 200, cosign sends the token in the
 * Authorization header, and the certificate's name comes from job_workflow_ref.
 */
export async function startFulcio(now: () => Date): Promise<Fulcio> {
  const ctKeys = newKeyPair();
  const ctLog = await initializeCTLog(ctKeys);
  setClock(ctLog, now);
  const ca = await initializeCA(newKeyPair(), ctLog);
  setClock(ca, now);
  const handler = fulcioHandler(ca, { subjectClaim: 'kit_san' });
  const answer: Fulcio['answer'] = async (body, authorization) => {
    const request = JSON.parse(body) as Request;
    const token = request.credentials?.oidcIdentityToken ?? authorization?.replace(/^Bearer /i, '') ?? '';
    const wrong = problem(request, token, now());
    if (wrong !== undefined) return refuse(wrong);
    const claims = readClaims(token);
    const named = { ...claims, kit_san: `https://github.com/${claims.job_workflow_ref}` };
    const unsigned = `e30.${Buffer.from(JSON.stringify(named)).toString('base64url')}.`;
    const given = JSON.stringify({ ...request, credentials: { oidcIdentityToken: unsigned } });
    const { statusCode, response } = await handler.fn(given);
    return { status: statusCode === 201 ? 200 : statusCode, body: response as string, type: 'application/json' };
  };
  return {
    rootCertificate: Buffer.from(ca.rootCertificate.buffer),
    ctKeys,
    path: handler.path,
    answer,
    pathV1: '/api/v1/signingCert',
    async answerV1(body, authorization) {
      const given = await answer(fromV1(body), authorization);
      if (given.status !== 200) return given;
      const { signedCertificateEmbeddedSct: issued } = JSON.parse(given.body.toString()) as {
        signedCertificateEmbeddedSct: { chain: { certificates: string[] } };
      };
      return { status: 201, body: issued.chain.certificates.join(''), type: 'application/pem-certificate-chain' };
    },
  };
}
