import type { AppError } from '../../errors/index.ts';
import type { Candidate, Resolved } from '../../core/index.ts';

export type HeldReason =
  | 'too-new'
  | 'age-unknown'
  | 'denied'
  | 'out-of-range'
  | 'prerelease'
  | 'downgrade'
  | 'registry'
  | 'incomplete'
  | 'evidence-lost'
  | 'unsigned';

/** Held is a version that is there and is not taken, with the reason. */
export interface Held {
  readonly version: string;
  readonly reason: HeldReason;
  readonly detail: string;
}

/** Verdict is the one answer about one pin; none of them stands for another. */
export type Verdict =
  | { readonly $case: 'current'; readonly held: readonly Held[] }
  | {
      readonly $case: 'due';
      readonly to: Candidate;
      readonly resolved: Resolved;
      readonly held: readonly Held[];
      /** Whole days since `to` was published or first seen. */
      readonly age?: number | undefined;
      /** Set when what is pinned now has vanished. */
      readonly gone?: string | undefined;
    }
  | { readonly $case: 'held'; readonly held: readonly Held[] }
  | { readonly $case: 'alarm'; readonly expected: string; readonly found: string; readonly source: string }
  | { readonly $case: 'gone'; readonly what: string; readonly held: readonly Held[] }
  | { readonly $case: 'unknown'; readonly error: AppError }
  | { readonly $case: 'nothing'; readonly reason: string };
