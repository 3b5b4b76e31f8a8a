import type { AppError } from '../../errors/index.ts';
import type { Digest, Evidence, Pin, Platform } from '../../core/index.ts';

/** Candidate is one version that an upstream offers for a pin. */
export interface Candidate {
  /** As the pin would write it. */
  readonly version: string;
  /** What to ask the upstream for: a tag, a commit. */
  readonly target: string;
  /** ISO time at which the upstream says it published this; absent where it keeps no such record. */
  readonly published?: string;
  /** The upstream itself calls it a pre-release. */
  readonly prerelease?: boolean;
  /** Digest or commit behind `target`, where it is known without fetching: it ties our first-seen record to bytes. */
  readonly identity?: string;
  /** Page for the reviewer. */
  readonly link?: string;
}

/** Facts is everything of a pin that a bump replaces, all of it or nothing. */
export type Facts =
  | {
      readonly kind: 'image';
      readonly version: string;
      readonly digest: Digest;
      readonly platforms: Record<Platform, Digest>;
    }
  | { readonly kind: 'release'; readonly version: string; readonly assets: readonly ReleaseAsset[] }
  | {
      readonly kind: 'npm';
      readonly version: string;
      readonly integrity: string;
      /** New content of the lock's directory. */
      readonly files: { readonly 'package.json': string; readonly 'package-lock.json': string };
    }
  | { readonly kind: 'python'; readonly version: string }
  | {
      readonly kind: 'git';
      readonly version: string;
      readonly commit: string;
      readonly tree: string;
      readonly digest: Digest;
    }
  | { readonly kind: 'action'; readonly version: string; readonly commit: string };

export interface ReleaseAsset {
  readonly platform: Platform;
  readonly name: string;
  readonly digest: Digest;
  /** Bytes that were hashed. */
  readonly size: number;
}

/** Resolved is a set of facts with where each was learned. */
export interface Resolved {
  readonly facts: Facts;
  readonly evidence: readonly Evidence[];
  /** Page for the reviewer, where only the bytes themselves lead to it. */
  readonly link?: string;
}

/** Presence is what an upstream says about the bytes that are pinned now. */
export type Presence =
  | { readonly $case: 'there' }
  /** A tag that is meant to move (`10`, `3.14`) names other bytes now. */
  | { readonly $case: 'moved'; readonly candidate: Candidate }
  /** The same version, other bytes. */
  | { readonly $case: 'other'; readonly expected: string; readonly found: string; readonly source: string }
  | { readonly $case: 'gone'; readonly what: string };

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
      readonly age?: number;
      /** Set when what is pinned now has vanished. */
      readonly gone?: string;
    }
  | { readonly $case: 'held'; readonly held: readonly Held[] }
  | { readonly $case: 'alarm'; readonly expected: string; readonly found: string; readonly source: string }
  | { readonly $case: 'gone'; readonly what: string; readonly held: readonly Held[] }
  | { readonly $case: 'unknown'; readonly error: AppError }
  | { readonly $case: 'nothing'; readonly reason: string };

export type BumpablePin = Exclude<Pin, { kind: 'rpms' }>;
