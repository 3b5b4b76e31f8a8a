import type { EntryType } from './picture.ts';

/**
 * SecretRule is one credential format as data, for content scanners and for text at hand.
 * A scanner first looks for a literal (cheap), then runs `pattern` over the text from `reach`
 * characters before the literal to `reach` after it, decoded as latin1.
 */
export interface SecretRule {
  /** Stable id without room, e.g. `github-token`; it becomes ContentMatch.rule. */
  readonly id: string;
  readonly summary: string;
  /** ASCII; a match contains at least one of them, compared with case. */
  readonly literals: readonly string[];
  /** Has the `g` flag; a match is never longer than `reach`. */
  readonly pattern: RegExp;
  /** Characters either side of a literal that a match can span. */
  readonly reach: number;
  /** Only files whose path matches; absent: every file. */
  readonly paths?: RegExp | undefined;
  /** A second look at the matched text: false for placeholders and malformed values. */
  readonly accept?: ((match: string) => boolean) | undefined;
  /** Leading characters that may be shown in a report. */
  readonly show: number;
}

/**
 * WindowRule keeps, of files too large to keep whole, the bytes from a marker on: they stand in
 * Picture.contents under the file's path, beginning with the marker.
 */
export interface WindowRule {
  /** A file's first bytes; others are not searched. */
  readonly startsWith: Uint8Array;
  readonly marker: Uint8Array;
  /** The marker lies at a multiple of this many bytes. */
  readonly align: number;
  /** A second look at the marker and `headBytes` after it: false passes over a mere mention of it. */
  readonly headBytes: number;
  readonly accept: (head: Uint8Array) => boolean;
  /** Bytes kept at most, from the marker on. */
  readonly bytes: number;
  readonly wants: Collectors['wantContent'];
}

/** Collectors is what the one streaming pass shall bring back beside the headers. */
export interface Collectors {
  /** True: keep the whole content of the file's final version in Picture.contents. */
  readonly wantContent: (
    path: string,
    entry: { readonly type: EntryType; readonly size: number; readonly mode: number },
  ) => boolean;
  /** Formats to look for in every file of every layer. */
  readonly secrets: readonly SecretRule[];
  /** What to keep of large files. */
  readonly windows?: WindowRule | undefined;
}
