import type { Waiver } from './contract.ts';
import type { Pin } from './pin.ts';
import type { Platform } from './platform.ts';
import type { Profile } from './plan.ts';

/** A piece of Dockerfile text and the line of its file on which it starts, 1-based. */
export interface FragmentSection {
  readonly text: string;
  readonly line: number;
}

/** FragmentDefinition is one images/fragments/<name>.dockerfile: front matter and Dockerfile text. */
export interface FragmentDefinition {
  readonly name: string;
  /** Relative to the project. */
  readonly file: string;
  readonly description: string;
  /** Names of the pins whose values the text takes, in order. */
  readonly pins: readonly string[];
  /** Absolute paths that the image has because of this fragment. */
  readonly provides: readonly string[];
  /** Files of the build context that the text copies; `mode` is what they have in the context. */
  readonly files: readonly { readonly path: string; readonly mode: number }[];
  /** Build stages of its own, before the image's stage. */
  readonly stage?: FragmentSection | undefined;
  /** Instructions of the image's stage. */
  readonly final?: FragmentSection | undefined;
}

export interface Omission {
  readonly name: string;
  readonly version?: string | undefined;
  readonly reason: string;
}

/** VariantDefinition is one image that is published; one entry of an image.yaml. */
export interface VariantDefinition {
  readonly name: string;
  /** `host/repository`, without tag. */
  readonly repository: string;
  readonly title: string;
  readonly description: string;
  readonly agents: readonly string[];
  readonly params: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly omitted: readonly Omission[];
}

/** ImageDefinition is one images/<image>/image.yaml: what its variants share, and the variants. */
export interface ImageDefinition {
  readonly image: string;
  /** Relative to the project. */
  readonly file: string;
  readonly profile: Profile;
  readonly platforms: readonly Platform[];
  /** Name of the base image's pin. */
  readonly base: string;
  /** Names of fragments in order; `@agents` stands for the variant's agents. */
  readonly fragments: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly params: Readonly<Record<string, string>>;
  readonly variants: readonly VariantDefinition[];
  readonly omitted: readonly Omission[];
  /** What the contract's rules find in this image and a person decided to accept, for a time. */
  readonly waivers: readonly Waiver[];
}

/** Definitions is everything that people decided, parsed: no network and no engine was needed. */
export interface Definitions {
  readonly pins: ReadonlyMap<string, Pin>;
  /** The pins file that was read, relative to the project. */
  readonly pinsFile: string;
  /** The pins are the lab's stand-ins. */
  readonly lab: boolean;
  readonly fragments: ReadonlyMap<string, FragmentDefinition>;
  readonly images: readonly ImageDefinition[];
}
