import type { Where } from '../errors/index.ts';
import type { Profile } from './plan.ts';
import type { EntryType } from './picture.ts';

/** A label that must be there; `pattern` is an anchored regular expression of its value. */
export interface LabelSpec {
  readonly name: string;
  readonly pattern?: string | undefined;
  /** What the pattern means, for the message. */
  readonly meaning?: string | undefined;
}

/** A path that must be in the image. */
export interface PathSpec {
  readonly path: string;
  readonly kind: EntryType | 'any';
  /** Exact permission bits, octal, e.g. `1777`. */
  readonly mode?: string | undefined;
  /** What every identity of the profile must be able to do there. */
  readonly access?: string | undefined;
  /** May be absent: a mount point that the platform makes itself. */
  readonly optional?: boolean | undefined;
}

/** ProfileSpec is the contract's parameters for one kind of image; YAML: images/contract/v1.yaml. */
export interface ProfileSpec {
  /** Values of the variant label that select this profile for a derived image, globs allowed. */
  readonly variants: readonly string[];
  readonly home: string;
  /** Directory of main.py, where the start command runs. */
  readonly application: string;
  readonly recommendedUid?: number | undefined;
  /** Identity the image's processes drop to when it is not the config's User, e.g. `sandbox`. */
  readonly runsAs?: string | undefined;
  /** Started with a group that may be any: what is read and run must be open to others. */
  readonly anyGroup?: boolean | undefined;
  readonly paths: readonly PathSpec[];
  /** Contract variables that this published image itself sets. */
  readonly provides: readonly string[];
  readonly recommendedEnv: Readonly<Record<string, string>>;
  readonly labels: readonly LabelSpec[];
  /** Labels whose value must not be the base's, globs allowed. */
  readonly ownLabels: readonly string[];
  /** Directories that this project fills itself: links and parity are held strictly there. */
  readonly owned: readonly string[];
  readonly policy?:
    { readonly path: string; readonly rego?: string | undefined; readonly required: boolean } | undefined;
  /** Bytes. */
  readonly size: { readonly compressed: number; readonly wasted: number };
}

/** What a derived image's profile changes in the one that it derives from. */
export interface DerivedSpec {
  readonly labels: readonly LabelSpec[];
  readonly ownLabels: readonly string[];
  /** Bytes that the derived image may add to its base, compressed. */
  readonly size: { readonly added: number; readonly wasted: number };
}

export interface Contract {
  readonly version: string;
  readonly port: number;
  readonly forbiddenEnv: readonly string[];
  readonly python: {
    readonly minimum: string;
    readonly package: string;
    readonly server: string;
    readonly main: string;
  };
  /** RUNNER_TYPE → module. */
  readonly bridges: Readonly<Record<string, string>>;
  readonly arbitraryUser: { readonly uid: number; readonly gid: number };
  /** Labels of this project's own namespace that something reads. */
  readonly knownLabels: readonly string[];
  /** Prefix of the namespace: a label there that nothing reads is a mistake. */
  readonly labelNamespace: string;
  readonly waiverWarningDays: number;
  readonly profiles: Readonly<Record<Exclude<Profile, 'custom'>, ProfileSpec>> & { readonly custom: DerivedSpec };
}

/** Waiver lets one finding pass for a time; every member but `where` is written by a person. */
export interface Waiver {
  readonly rule: string;
  /** The finding's subject; `*` matches inside a path component, `**` across them. */
  readonly subject: string;
  readonly reason: string;
  readonly owner: string;
  /** ISO date; the waiver holds to the end of that day, UTC. */
  readonly expires: string;
  readonly where?: Where | undefined;
  /** Taken over from the base image: not reported when nothing uses it. */
  readonly inherited?: boolean | undefined;
}
