import type { Candidate } from '../../core/index.ts';
import type { Held } from './types.ts';

const day = 86_400_000;

/** FirstSeen is our own record of candidates whose upstream keeps no dates. */
export interface FirstSeenEntry {
  /** YYYY-MM-DD. */
  readonly seen: string;
  /** The bytes or commit that were seen; other ones start anew. */
  readonly identity: string;
}

export interface Age {
  /** Whole days; undefined when unknown. */
  readonly days?: number | undefined;
  readonly from: 'upstream' | 'first-seen' | 'unknown';
}

/** ageOf takes the upstream's own date, else our first-seen record of the same bytes. A date in the future is none. */
export function ageOf(candidate: Candidate, record: FirstSeenEntry | undefined, now: Date): Age {
  const since = (text: string): number | undefined => {
    const days = Math.floor((now.getTime() - Date.parse(text)) / day);
    return Number.isNaN(days) || days < 0 ? undefined : days;
  };
  if (candidate.published !== undefined) {
    const days = since(candidate.published);
    return days === undefined ? { from: 'unknown' } : { days, from: 'upstream' };
  }
  if (record === undefined || record.identity !== candidate.identity) return { from: 'unknown' };
  const days = since(record.seen);
  return days === undefined ? { from: 'unknown' } : { days, from: 'first-seen' };
}

/** coolDown holds a candidate that has not been public long enough. Unknown age counts as too new. */
export function coolDown(version: string, age: Age, cooldownDays: number): Held | undefined {
  if (cooldownDays === 0) return undefined;
  const wanted = `policy wants ${cooldownDays} days`;
  if (age.days === undefined)
    return {
      version,
      reason: 'age-unknown',
      detail: `its age is unknown, so it counts from its first sight on; ${wanted}`,
    };
  if (age.days >= cooldownDays) return undefined;
  const public_ = age.from === 'upstream' ? 'public' : 'seen here';
  return { version, reason: 'too-new', detail: `${public_} for ${age.days} days, ${wanted}` };
}
