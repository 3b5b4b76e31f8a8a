import { createHash } from 'node:crypto';
import { RFC3161Timestamp } from '@sigstore/core';
import type { Witness } from '@sigstore/sign';
import type { Host } from '../host/index.ts';
import { ask, unanswered, type Question } from './ask.ts';
import { under, type Services } from './services.ts';

/** A timestamp is 0.5 kB (the tests' own authority); with a chain of certificates in it, a few more. */
const maxAnswer = 64 * 1024;

/** What is wrong with a TimeStampResp (RFC 3161, 2.4.2); its signature is for the verifier to judge. */
function problem(bytes: Buffer, digest: Buffer): string | undefined {
  try {
    const timestamp = RFC3161Timestamp.parse(Buffer.from(bytes));
    // 0 is granted, 1 granted with modifications.
    const { status } = timestamp;
    if (status !== 0n && status !== 1n) return `a refusal with status ${status}`;
    return timestamp.tstInfo.messageImprintHashedMessage.equals(digest) ? undefined : 'a timestamp of something else';
  } catch {
    return /^\s*</.test(bytes.subarray(0, 100).toString()) ? 'an HTML page' : `${bytes.length} bytes that are none`;
  }
}

/** tsaWitness has an authority say when a signature was there. Its `testify` throws `sigstore/tsa`. */
export function tsaWitness(host: Host, services: Services, tsa: string): Witness {
  // The address of a whole instance, or of the service itself.
  const bare = URL.canParse(tsa) && new URL(tsa).pathname === '/';
  return {
    async testify(content) {
      const signature =
        content.$case === 'dsseEnvelope' ? content.dsseEnvelope.signatures[0]?.sig : content.messageSignature.signature;
      const digest = createHash('sha256')
        .update(signature ?? '')
        .digest();
      const question: Question = {
        code: 'sigstore/tsa',
        failed: 'the timestamp authority gave no timestamp',
        url: bare ? under(tsa, '/api/v1/timestamp') : tsa,
        limit: maxAnswer,
        body: { artifactHash: digest.toString('base64'), hashAlgorithm: 'sha256' },
      };
      const { bytes } = await ask(host, services, question);
      const found = problem(bytes, digest);
      if (found !== undefined)
        throw unanswered(question, { expected: 'an RFC 3161 timestamp of the signature', found });
      return { rfc3161Timestamps: [{ signedTimestamp: bytes }] };
    },
  };
}
