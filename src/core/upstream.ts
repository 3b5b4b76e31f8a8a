import type { Digest } from './digest.ts';
import type { PinEvidence, Pin } from './pin.ts';
import type { Platform } from './platform.ts';

/** What has one version that an upstream publishes; RPMs float with their base. */
export type BumpablePin = Exclude<Pin, { kind: 'rpms' }>;

/** Candidate is one version that an upstream offers for a pin. */
export interface Candidate {
  /** As the pin would write it. */
  readonly version: string;
  /** What to ask the upstream for: a tag, a commit. */
  readonly target: string;
  /** ISO time at which the upstream says it published this; absent where it keeps no such record. */
  readonly published?: string | undefined;
  /** The upstream itself calls it a pre-release. */
  readonly prerelease?: boolean | undefined;
  /** Digest or commit behind `target`, where it is known without fetching: it ties our first-seen record to bytes. */
  readonly identity?: string | undefined;
  /** Page for the reviewer. */
  readonly link?: string | undefined;
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
  readonly evidence: readonly PinEvidence[];
  /** Page for the reviewer, where only the bytes themselves lead to it. */
  readonly link?: string | undefined;
}

/** Presence is what an upstream says about the bytes that are pinned now. */
export type Presence =
  | { readonly $case: 'there' }
  /** A tag that is meant to move (`10`, `3.14`) names other bytes now. */
  | { readonly $case: 'moved'; readonly candidate: Candidate }
  /** The same version, other bytes. */
  | { readonly $case: 'other'; readonly expected: string; readonly found: string; readonly source: string }
  | { readonly $case: 'gone'; readonly what: string };
