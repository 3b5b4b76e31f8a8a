/** Tables is 16 entries for the low half of one byte and 16 for its high half, a bit for each bucket. */
export interface Tables {
  readonly low: Uint8Array;
  readonly high: Uint8Array;
}

const buckets = 8;

/**
 * tablesFor returns the tables of each place of prefixes that are all of one length. Prefixes that lie side by side in
 * order share a bucket, so that what differs in its last byte only does: apart, it would make too many places look like
 * one. A search for the best eight buckets stops at half the places and saves a hundredth of a walk.
 */
export function tablesFor(prefixes: readonly Uint8Array[]): Tables[] {
  const headOf = (prefix: Uint8Array): string => prefix.subarray(0, -1).join(' ');
  const heads = [...new Set(prefixes.map(headOf))].sort();
  const bucketOf = new Map(heads.map((head, at) => [head, Math.floor((at * buckets) / heads.length)]));
  return Array.from({ length: prefixes[0]?.length ?? 0 }, (_, at) => {
    const low = new Uint8Array(16);
    const high = new Uint8Array(16);
    for (const prefix of prefixes) {
      const bit = 1 << (bucketOf.get(headOf(prefix)) ?? 0);
      const byte = prefix[at] ?? 0;
      low[byte & 15] = (low[byte & 15] ?? 0) | bit;
      high[byte >> 4] = (high[byte >> 4] ?? 0) | bit;
    }
    return { low, high };
  });
}
