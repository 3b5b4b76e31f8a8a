import type { SignedEntity } from '@sigstore/verify';

/** signedAt returns the earliest of the times in a bundle that was verified; undefined where it holds none. */
export function signedAt({ timestamps }: SignedEntity): Date | undefined {
  const times = timestamps.flatMap((one) => {
    if (one.$case === 'timestamp-authority') return [one.timestamp.signingTime.getTime()];
    // Rekor v2 states no time of its own: 0.
    const seconds = Number(one.tlogEntry.integratedTime);
    return seconds > 0 ? [seconds * 1000] : [];
  });
  return times.length === 0 ? undefined : new Date(Math.min(...times));
}
