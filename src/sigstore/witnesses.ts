import { createHash } from 'node:crypto';
import { RFC3161Timestamp } from '@sigstore/core';
import type { SignatureBundle, Witness } from '@sigstore/sign';
import * as z from 'zod';
import type { Host } from '../host/index.ts';
import { callService, Unfit, type Service } from './call.ts';
import type { Signer } from './signer.ts';

/**
 * An entry keeps hashes, signatures and certificates, never the statement: 5 kB (the tests' own Rekor), and a proof of
 * inclusion whose hashes grow with the logarithm of the log. The rest is room for what an instance adds of its own.
 */
const rekor: Service = {
  code: 'sigstore/rekor',
  failed: 'Rekor returned no log entry',
  expected: 'one entry of the log',
  limit: 2 * 1024 * 1024,
};

/** A timestamp is 0.5 kB (the tests' own authority); with a chain of certificates in it, a few more. */
const tsa: Service = {
  code: 'sigstore/tsa',
  failed: 'the timestamp authority returned no timestamp',
  expected: 'an RFC 3161 timestamp of the signature',
  limit: 64 * 1024,
};

const hash = z.instanceof(Uint8Array).refine(({ length }) => length === 32, 'expected a SHA-256 hash');
const count = z.string().regex(/^\d{1,19}$/, 'expected a number');
/** What @sigstore/sign made of the answer, which it does not look into. */
const entry = z.object({
  logIndex: count,
  logId: z.object({ keyId: hash }),
  integratedTime: count,
  kindVersion: z.object({ kind: z.string(), version: z.string() }),
  inclusionProof: z
    .object({
      logIndex: count,
      treeSize: count,
      rootHash: hash,
      hashes: z.array(hash).max(64),
      checkpoint: z.object({ envelope: z.string() }),
    })
    .optional(),
});

function entryProblem(value: unknown): string | undefined {
  const [issue] = entry.safeParse(value).error?.issues ?? [];
  return issue === undefined ? undefined : `${issue.path.join('.')}: ${issue.message}`;
}

/** Whether the timestamp can be trusted, the verifier says. */
function timestampProblem(content: SignatureBundle, bytes: Uint8Array): string | undefined {
  const signature =
    content.$case === 'dsseEnvelope' ? content.dsseEnvelope.signatures[0]?.sig : content.messageSignature.signature;
  const digest = createHash('sha256').update(signature ?? '');
  try {
    const timestamp = RFC3161Timestamp.parse(Buffer.from(bytes));
    // 0 is granted, 1 granted with modifications (RFC 3161, 2.4.2).
    const { status } = timestamp;
    if (status !== 0n && status !== 1n) return `a refusal with status ${status}`;
    const imprint = timestamp.tstInfo.messageImprintHashedMessage;
    return imprint.equals(digest.digest()) ? undefined : 'a timestamp of something else';
  } catch {
    return `${bytes.length} bytes that are none`;
  }
}

/** What is wrong with an answer. */
type Problem = (content: SignatureBundle, made: Awaited<ReturnType<Witness['testify']>>) => string | undefined;

/**
 * witnesses are the log and, for signatures meant for bundles, the timestamp authority, within their limits. Their
 * `testify` throws `sigstore/rekor` and `sigstore/tsa`.
 */
export function witnesses(host: Host, signer: Signer, { tsa: timestamped }: { readonly tsa: boolean }): Witness[] {
  const bounded = (service: Service, witness: Witness | undefined, problem: Problem): Witness[] => {
    if (witness === undefined) return [];
    const testify: Witness['testify'] = async (content, publicKey) =>
      await callService(host, signer.services, service, async () => {
        const made = await witness.testify(content, publicKey);
        const found = problem(content, made);
        if (found !== undefined) throw new Unfit(found);
        return made;
      });
    return [{ testify }];
  };
  const { log, timestamp } = signer.parts;
  return [
    ...bounded(rekor, log, (_content, { tlogEntries }) => entryProblem(tlogEntries?.[0])),
    ...bounded(tsa, timestamped ? timestamp : undefined, (content, { rfc3161Timestamps }) =>
      timestampProblem(content, rfc3161Timestamps?.[0]?.signedTimestamp ?? Buffer.alloc(0)),
    ),
  ];
}
