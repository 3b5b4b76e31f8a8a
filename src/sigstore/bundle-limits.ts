import type { Bundle } from '@sigstore/bundle';
import { refuse, type Refused } from './refusal.ts';

/** cosign, GitHub and this project write one entry and at most one timestamp. */
const maxEntries = 1;
const maxTimestamps = 4;
/** A checkpoint is some 300 bytes; each of its witnesses adds a line (c2sp.org/tlog-checkpoint). */
const maxCheckpoint = 16 * 1024;
/** Fulcio's certificate has about 1 000 bytes, a timestamp with its chain 2 000, a log entry without its payload 3 000. */
const maxDer = 64 * 1024;
const maxBody = 256 * 1024;
/** A tree of 2^64 leaves. */
const maxHashes = 64;
/** Digits of a 64-bit number: reading more of them takes more than linear time. */
const maxDigits = 20;
const maxCertificates = 10;
/** A bundle has some 60 members. */
const maxMembers = 2_000;

const structural = new Set(Buffer.from('{[,:'));

/**
 * crowded refuses a JSON text of more members than any signer writes, before it is parsed: eight megabytes of `{},` take
 * hundreds of megabytes of memory. What a bundle holds is base64 and has none of these characters.
 */
export function crowded(bytes: Uint8Array): Refused | undefined {
  let count = 0;
  for (const byte of bytes)
    if (structural.has(byte) && ++count > maxMembers)
      return refuse('too-large', `more than ${maxMembers} members, where a bundle has some 60`);
  return undefined;
}

/** Names of logs and witnesses are host names, with a path or a key at most. */
const isName = (name: string): boolean => /^[\w.+:/@~-]{1,255}$/.test(name);

function checkpointProblem(checkpoint: string): Refused | undefined {
  if (checkpoint.length > maxCheckpoint) return refuse('too-large', `a checkpoint of ${checkpoint.length} characters`);
  const names = checkpoint
    .split('\n')
    .flatMap((line) => (line.startsWith('\u2014 ') ? [line.split(' ')[1] ?? ''] : []));
  return names.every(isName)
    ? undefined
    : refuse('malformed-bundle', 'a checkpoint of a log whose name is no host name');
}

type Entry = Bundle['verificationMaterial']['tlogEntries'][number];

function entryProblem({ logIndex, integratedTime, inclusionProof, canonicalizedBody }: Entry): Refused | undefined {
  const numbers = [logIndex, integratedTime, inclusionProof?.logIndex, inclusionProof?.treeSize];
  if (numbers.some((text) => text !== undefined && text.length > maxDigits))
    return refuse('too-large', `a number of more than ${maxDigits} digits`);
  const hashes = inclusionProof?.hashes.length ?? 0;
  if (hashes > maxHashes) return refuse('too-large', `a proof of ${hashes} hashes, at most ${maxHashes} are read`);
  if (canonicalizedBody.length > maxBody)
    return refuse('too-large', `a log entry of ${canonicalizedBody.length} bytes`);
  return checkpointProblem(inclusionProof?.checkpoint?.envelope ?? '');
}

function certificatesOf({ content }: Bundle['verificationMaterial']): readonly Uint8Array[] {
  if (content.$case === 'certificate') return [content.certificate.rawBytes];
  if (content.$case !== 'x509CertificateChain') return [];
  return content.x509CertificateChain.certificates.map(({ rawBytes }) => rawBytes);
}

/**
 * overLimit refuses a bundle that holds more than a signer writes, before anything looks at it: @sigstore/verify 4.1
 * compares timestamps and entries each with every other one, and tries every line of a checkpoint, before it knows
 * whether the signer is trusted; and nothing can end work of this thread from outside. Undefined when all is within
 * limits.
 */
export function overLimit({ verificationMaterial }: Pick<Bundle, 'verificationMaterial'>): Refused | undefined {
  const { tlogEntries, timestampVerificationData } = verificationMaterial;
  const timestamps = timestampVerificationData?.rfc3161Timestamps ?? [];
  if (tlogEntries.length > maxEntries)
    return refuse('too-large', `${tlogEntries.length} log entries, at most ${maxEntries} is read`);
  if (timestamps.length > maxTimestamps)
    return refuse('too-large', `${timestamps.length} timestamps, at most ${maxTimestamps} are read`);
  const certificates = certificatesOf(verificationMaterial);
  if (certificates.length > maxCertificates)
    return refuse('too-large', `${certificates.length} certificates, at most ${maxCertificates} are read`);
  const largest = Math.max(
    0,
    ...certificates.map(({ length }) => length),
    ...timestamps.map(({ signedTimestamp }) => signedTimestamp.length),
  );
  if (largest > maxDer) return refuse('too-large', `a certificate or timestamp of ${largest} bytes`);
  const [entry] = tlogEntries;
  return entry === undefined ? undefined : entryProblem(entry);
}
