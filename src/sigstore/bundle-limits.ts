import type { Bundle } from '@sigstore/bundle';
import { refuse, type Refused } from './refusal.ts';

/** cosign, GitHub and this project write one entry and at most one timestamp. */
const maxEntries = 1;
const maxTimestamps = 4;
/** A checkpoint is some 300 bytes; each of its witnesses adds a line (c2sp.org/tlog-checkpoint). */
const maxCheckpoint = 16 * 1024;

/**
 * overLimit refuses a bundle that holds more than a signer writes, before anything looks at it: @sigstore/verify 4.1
 * compares timestamps and entries each with every other one, and tries every line of a checkpoint, before it knows
 * whether the signer is trusted. Undefined when all is within limits.
 */
export function overLimit({ verificationMaterial }: Bundle): Refused | undefined {
  const { tlogEntries, timestampVerificationData } = verificationMaterial;
  const timestamps = timestampVerificationData?.rfc3161Timestamps.length ?? 0;
  if (tlogEntries.length > maxEntries)
    return refuse('too-large', `${tlogEntries.length} log entries, at most ${maxEntries} is read`);
  if (timestamps > maxTimestamps)
    return refuse('too-large', `${timestamps} timestamps, at most ${maxTimestamps} are read`);
  const checkpoint = tlogEntries[0]?.inclusionProof?.checkpoint?.envelope.length ?? 0;
  return checkpoint <= maxCheckpoint ? undefined : refuse('too-large', `a checkpoint of ${checkpoint} characters`);
}
