import { createPublicKey, X509Certificate } from 'node:crypto';
import * as z from 'zod';
import { refuse, type Refused } from './refusal.ts';

/** What Rekor keeps of the signer, by kind and version of an entry (github.com/sigstore/rekor, pkg/types; rekor-tiles). */
const pem = z.string().min(1);
const verifierV2 = z.union([
  z.object({ x509Certificate: z.object({ rawBytes: z.string().min(1) }) }),
  z.object({ publicKey: z.object({ rawBytes: z.string().min(1) }) }),
]);
const bodies = {
  'dsse/0.0.1': z
    .object({ spec: z.object({ signatures: z.array(z.object({ verifier: pem })).length(1) }) })
    .transform(({ spec }) => spec.signatures[0]?.verifier ?? ''),
  'hashedrekord/0.0.1': z
    .object({ spec: z.object({ signature: z.object({ publicKey: z.object({ content: pem }) }) }) })
    .transform(({ spec }) => spec.signature.publicKey.content),
  'intoto/0.0.2': z
    .object({
      spec: z.object({
        content: z.object({ envelope: z.object({ signatures: z.array(z.object({ publicKey: pem })).length(1) }) }),
      }),
    })
    .transform(({ spec }) => spec.content.envelope.signatures[0]?.publicKey ?? ''),
  'dsse/0.0.2': z
    .object({
      spec: z.object({ dsseV002: z.object({ signatures: z.array(z.object({ verifier: verifierV2 })).length(1) }) }),
    })
    .transform(({ spec }) => spec.dsseV002.signatures[0]?.verifier),
  'hashedrekord/0.0.2': z
    .object({ spec: z.object({ hashedRekordV002: z.object({ signature: z.object({ verifier: verifierV2 }) }) }) })
    .transform(({ spec }) => spec.hashedRekordV002.signature.verifier),
} as const;

type Named = { readonly certificate: Buffer } | { readonly key: Buffer };

const der = (base64: string): Buffer => Buffer.from(base64, 'base64');
const spki = (text: string): Buffer => createPublicKey(text).export({ type: 'spki', format: 'der' });

/** namedBy returns the certificate or key that an entry names. Throws on a body of another form. */
function namedBy(body: unknown): Named {
  const { kind, apiVersion } = z.object({ kind: z.string(), apiVersion: z.string() }).parse(body);
  const schema = Object.entries(bodies).find(([name]) => name === `${kind}/${apiVersion}`)?.[1];
  if (schema === undefined) throw new TypeError(`an entry of kind ${kind} ${apiVersion}`);
  const verifier = schema.parse(body);
  if (verifier === undefined) throw new TypeError('an entry without a verifier');
  if (typeof verifier === 'string') {
    const text = der(verifier).toString('latin1');
    return text.includes('BEGIN CERTIFICATE') ? { certificate: new X509Certificate(text).raw } : { key: spki(text) };
  }
  return 'x509Certificate' in verifier
    ? { certificate: der(verifier.x509Certificate.rawBytes) }
    : { key: der(verifier.publicKey.rawBytes) };
}

/** The signer of a bundle: the certificate of an identity, or a key (both DER). */
export type LoggedSigner = Named;

/**
 * signerProblem refuses a log entry that names another certificate or key than the bundle: a monitor of the log that looks for
 * an identity would see another one. The entry itself was verified before.
 */
export function signerProblem(canonicalizedBody: Buffer, signer: LoggedSigner): Refused | undefined {
  let named: Named;
  try {
    named = namedBy(JSON.parse(canonicalizedBody.toString('utf8')));
  } catch (error) {
    const found =
      error instanceof z.ZodError ? 'an entry of another form' : error instanceof Error ? error.message : '';
    return refuse('log-entry', `the log entry names no signer: ${found.slice(0, 200)}`);
  }
  if ('certificate' in signer) {
    if ('certificate' in named && named.certificate.equals(signer.certificate)) return undefined;
    return refuse('log-entry', 'the log entry names another certificate than the bundle');
  }
  if ('key' in named && named.key.equals(signer.key)) return undefined;
  return refuse('log-entry', 'the log entry names another key than the policy');
}
