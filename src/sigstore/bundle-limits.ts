import type { Bundle } from '@sigstore/bundle';
import { refuse, type Refused } from './refusal.ts';

/** cosign, GitHub and this project write one entry and at most one timestamp. */
const maxEntries = 1;
const maxTimestamps = 4;
/** A checkpoint is some 300 bytes; each of its witnesses adds a line (c2sp.org/tlog-checkpoint). */
const maxCheckpoint = 16 * 1024;
/** A certificate of Fulcio is 1 kB, a timestamp with its authority's chain 6 kB. */
const maxDer = 16 * 1024;
/** Lists, objects and members of a bundle: those of a genuine one are less than 200. */
const maxValues = 10_000;

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
export function certificateOf({ verificationMaterial: { content } }: Bundle): Buffer | undefined {
  if (content.$case === 'certificate') return content.certificate.rawBytes;
  if (content.$case === 'x509CertificateChain') return content.x509CertificateChain.certificates[0]?.rawBytes;
  return undefined;
}

/**
 * overLimit refuses a bundle that holds more than a signer writes, before anything looks at it: @sigstore/verify 4.1
 * compares timestamps and entries each with every other one, and tries every line of a checkpoint, before it knows
 * whether the signer is trusted. @sigstore/core makes objects of a certificate or a timestamp, up to one for every two
 * bytes: 6 MB took 3 s and 1 GB. Undefined when all is within limits.
 */
export function overLimit(bundle: Bundle): Refused | undefined {
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
  const checkpoint = tlogEntries[0]?.inclusionProof?.checkpoint?.envelope.length ?? 0;
  return checkpoint <= maxCheckpoint ? undefined : refuse('too-large', `a checkpoint of ${checkpoint} characters`);
}
