import type { Bundle } from '@sigstore/bundle';
import { refuse, type Refused } from './refusal.ts';

/** What of a bundle is bounded here. */
type Material = Pick<Bundle, 'verificationMaterial'>;

/** cosign, GitHub and this project write one entry and at most one timestamp. */
const maxEntries = 1;
const maxTimestamps = 4;
/** A checkpoint is some 300 bytes; each of its witnesses adds a line (c2sp.org/tlog-checkpoint). */
const maxCheckpoint = 16 * 1024;
/** A certificate of Fulcio is 1 kB, a timestamp with its authority's chain 6 kB. */
const maxDer = 16 * 1024;
/** Lists, objects and members of a bundle: those of a genuine one are less than 200. */
const maxValues = 10_000;

/** A log entry without its payload has 3 kB. */
const maxBody = 256 * 1024;
/** A tree of 2^64 leaves. */
const maxHashes = 64;
/** Digits of a 64-bit number: reading more of them takes more than linear time. */
const maxDigits = 20;
const maxCertificates = 10;

const [list, object, comma] = Buffer.from('[{,');

/**
 * manyValues refuses JSON of more values than a bundle has, before it is parsed: 8 MB of `[[[[` or `{},{},` take 250 MB
 * as objects. What is long in a bundle is base64, without brackets and commas. Undefined when all is within limits.
 */
export function manyValues(bytes: Uint8Array): Refused | undefined {
  let values = 0;
  for (const byte of bytes) if (byte === list || byte === object || byte === comma) values += 1;
  return values <= maxValues ? undefined : refuse('too-large', `${values} values, at most ${maxValues} are read`);
}

/** The certificate that signed, as it is in the bundle; undefined when a key did. */
export function certificateOf({ verificationMaterial: { content } }: Material): Buffer | undefined {
  if (content.$case === 'certificate') return content.certificate.rawBytes;
  if (content.$case === 'x509CertificateChain') return content.x509CertificateChain.certificates[0]?.rawBytes;
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

/**
 * overLimit refuses a bundle that holds more than a signer writes, before anything looks at it: @sigstore/verify 4.1
 * compares timestamps and entries each with every other one, and tries every line of a checkpoint, before it knows
 * whether the signer is trusted. @sigstore/core makes objects of a certificate or a timestamp, up to one for every two
 * bytes: 6 MB took 3 s and 1 GB. Undefined when all is within limits.
 */
export function overLimit(bundle: Material): Refused | undefined {
  const { tlogEntries, timestampVerificationData } = bundle.verificationMaterial;
  const stamps = timestampVerificationData?.rfc3161Timestamps ?? [];
  const timestamps = stamps.length;
  if (tlogEntries.length > maxEntries)
    return refuse('too-large', `${tlogEntries.length} log entries, at most ${maxEntries} is read`);
  if (timestamps > maxTimestamps)
    return refuse('too-large', `${timestamps} timestamps, at most ${maxTimestamps} are read`);
  const der = Math.max(certificateOf(bundle)?.length ?? 0, ...stamps.map((one) => one.signedTimestamp.length));
  if (der > maxDer)
    return refuse('too-large', `a certificate or timestamp of ${der} bytes, at most ${maxDer} are read`);
  const { content } = bundle.verificationMaterial;
  const chain = content.$case === 'x509CertificateChain' ? content.x509CertificateChain.certificates.length : 1;
  if (chain > maxCertificates) return refuse('too-large', `${chain} certificates, at most ${maxCertificates} are read`);
  const [entry] = tlogEntries;
  return entry === undefined ? undefined : entryProblem(entry);
}
