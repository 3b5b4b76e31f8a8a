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
  readonly paths?: RegExp;
  /** A second look at the matched text: false for placeholders and malformed values. */
  readonly accept?: (match: string) => boolean;
  /** Leading characters that may be shown in a report. */
  readonly show: number;
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
}
