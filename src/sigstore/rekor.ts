import { envelopeToJSON } from '@sigstore/bundle';
import type { SignatureBundle, Witness } from '@sigstore/sign';
import * as z from 'zod';
import type { Host } from '../host/index.ts';
import { ask, readAs, unanswered, type Question } from './ask.ts';
import { under, type Services } from './services.ts';

/**
 * An entry keeps hashes, signatures and certificates, never the statement: 5 kB (the tests' own Rekor), and a proof of
 * inclusion whose hashes grow with the logarithm of the log. The rest is room for what an instance adds of its own.
 */
const maxAnswer = 2 * 1024 * 1024;

const hash = z.string().regex(/^[0-9a-f]{64}$/, 'expected a SHA-256 hash');
const base64 = z.string().regex(/^[A-Za-z0-9+/]+={0,2}$/, 'expected base64');
const count = z.number().int().nonnegative();
/** Of a log in shards a uuid begins with the tree's id. */
const uuid = /^(?:[0-9a-f]{16})?[0-9a-f]{64}$/;

/** sigstore/rekor, openapi.yaml, LogEntry. */
const entry = z.object({
  body: base64,
  integratedTime: count,
  logID: hash,
  logIndex: count,
  verification: z
    .object({
      signedEntryTimestamp: base64.optional(),
      inclusionProof: z
        .object({
          logIndex: count,
          treeSize: count,
          rootHash: hash,
          hashes: z.array(hash).max(64),
          checkpoint: z.string(),
        })
        .optional(),
    })
    .optional(),
});
type Entry = z.infer<typeof entry>;
const answer = z
  .record(z.string().regex(uuid, 'expected the id of an entry'), entry)
  .refine((entries) => Object.keys(entries).length === 1, 'expected one entry')
  .transform((entries) => Object.values(entries)[0] as Entry);
const body = z.object({ kind: z.string(), apiVersion: z.string() });

/** What is proposed to the log (types dsse v0.0.1 and hashedrekord v0.0.1). */
function proposal(content: SignatureBundle, publicKey: string): object {
  const verifier = Buffer.from(publicKey).toString('base64');
  if (content.$case === 'dsseEnvelope') {
    const proposedContent = { envelope: JSON.stringify(envelopeToJSON(content.dsseEnvelope)), verifiers: [verifier] };
    return { apiVersion: '0.0.1', kind: 'dsse', spec: { proposedContent } };
  }
  const { messageDigest, signature } = content.messageSignature;
  const value = messageDigest.digest.toString('hex');
  return {
    apiVersion: '0.0.1',
    kind: 'hashedrekord',
    spec: {
      data: { hash: { algorithm: 'sha256', value } },
      signature: { content: signature.toString('base64'), publicKey: { content: verifier } },
    },
  };
}

function kindOf(question: Question, bytes: Buffer): { readonly kind: string; readonly version: string } {
  const { kind, apiVersion } = readAs(question, bytes, body, 'the body of an entry');
  return { kind, version: apiVersion };
}

function logEntry(question: Question, bytes: Buffer) {
  const found = readAs(question, bytes, answer, 'one entry of the log');
  const { signedEntryTimestamp: promise, inclusionProof: proof } = found.verification ?? {};
  const canonicalizedBody = Buffer.from(found.body, 'base64');
  return {
    logIndex: String(found.logIndex),
    logId: { keyId: Buffer.from(found.logID, 'hex') },
    integratedTime: String(found.integratedTime),
    kindVersion: kindOf(question, canonicalizedBody),
    inclusionPromise: promise === undefined ? undefined : { signedEntryTimestamp: Buffer.from(promise, 'base64') },
    inclusionProof:
      proof === undefined
        ? undefined
        : {
            logIndex: String(proof.logIndex),
            treeSize: String(proof.treeSize),
            rootHash: Buffer.from(proof.rootHash, 'hex'),
            hashes: proof.hashes.map((one) => Buffer.from(one, 'hex')),
            checkpoint: { envelope: proof.checkpoint },
          },
    canonicalizedBody,
  };
}

/**
 * rekorWitness has a log of version 1 take an entry. One that is there already, as after an answer that was lost, is
 * fetched: it is no failure. Its `testify` throws `sigstore/rekor`.
 */
export function rekorWitness(host: Host, services: Services, rekor: string): Witness {
  const entries = under(rekor, '/api/v1/log/entries');
  const shared = { code: 'sigstore/rekor', headers: { accept: 'application/json' }, limit: maxAnswer } as const;
  return {
    async testify(content, publicKey) {
      const proposed = proposal(content, publicKey);
      const writing = { ...shared, failed: 'Rekor took no entry', url: entries, body: proposed, also: 409 };
      const written = await ask(host, services, writing);
      if (written.status !== 409) return { tlogEntries: [logEntry(writing, written.bytes)] };
      // Only the id counts: where the entry is asked for is not the answer's to say.
      const id = written.headers.get('location')?.split('/').pop() ?? '';
      if (!uuid.test(id))
        throw unanswered(writing, {
          expected: 'where the entry is that it has already',
          found: 'status 409 without it',
        });
      const reading = { ...shared, failed: 'Rekor gave no entry', url: `${entries}/${id}` };
      return { tlogEntries: [logEntry(reading, (await ask(host, services, reading)).bytes)] };
    },
  };
}
