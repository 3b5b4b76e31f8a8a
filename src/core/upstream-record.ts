import type { PinEvidence } from './pin.ts';

/** What of ours does the same as something of upstream's: one member is named. */
export type Counterpart =
  /** A fragment of the image; `instruction` is a keyword that its text must hold. */
  | { readonly fragment: string; readonly instruction?: string | undefined }
  /** A file that enters an image, relative to the project. `same`: byte for byte upstream's. */
  | { readonly file: string; readonly same?: boolean | undefined }
  | { readonly pin: string }
  | { readonly label: string };

/** Account says what ours does for one thing of upstream's (`by`), or why not (`omitted`), or both. */
export interface Account {
  /** What it does, in our words. */
  readonly does: string;
  readonly by: readonly Counterpart[];
  /** Names of `omitted` entries of an image.yaml, where the reasons stand. */
  readonly omitted: readonly string[];
  /** Why it needs neither, or differs. */
  readonly note?: string | undefined;
}

/** First and last line, 1-based. */
export type LineRange = readonly [first: number, last: number];

export interface UpstreamInstruction extends Account {
  readonly lines: LineRange;
  readonly keyword: string;
  /** First 16 hex digits of the SHA-256 of the instruction, continued lines joined and comments dropped. */
  readonly digest: string;
}

export interface UpstreamDockerfile {
  /** Relative to the record's path. */
  readonly file: string;
  /** Git's object id of the file. */
  readonly object: string;
  /** Which of our images replaces what it makes. */
  readonly image: string;
  /** Number of lines. */
  readonly lines: number;
  /** LineRange that hold no instruction. */
  readonly between: readonly LineRange[];
  readonly instructions: readonly UpstreamInstruction[];
}

/** One file or folder of the runner's own folder, which `COPY . ` takes. */
export interface UpstreamFile extends Account {
  readonly path: string;
  /** Git's object id: of a blob, or of a folder's tree. */
  readonly object: string;
}

/** UpstreamRecord is images/upstream.yaml: upstream's image definitions at one commit, and what ours does for each part. */
export interface UpstreamRecord {
  readonly repository: string;
  readonly commit: string;
  readonly path: string;
  /** Git's object id of the folder. */
  readonly tree: string;
  readonly evidence: readonly PinEvidence[];
  readonly absent: readonly { readonly fact: string; readonly reason: string }[];
  readonly dockerfiles: readonly UpstreamDockerfile[];
  readonly files: readonly UpstreamFile[];
}
