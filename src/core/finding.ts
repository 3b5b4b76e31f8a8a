/** How much a finding weighs: only an `error` makes a command exit with 1. */
export type Severity = 'error' | 'warning' | 'note';

/** Where a finding points: a line of a file, a path in a layer, or a member of the config. */
export type Location =
  | { readonly $case: 'file'; readonly file: string; readonly line: number; readonly column: number }
  | { readonly $case: 'path'; readonly path: string; readonly layer?: LayerOrigin | undefined }
  | { readonly $case: 'config'; readonly key: string; readonly layer?: LayerOrigin | undefined }
  | { readonly $case: 'image' };

/** LayerOrigin names a layer by position and by the instruction that made it, as the history records it. */
export interface LayerOrigin {
  /** 0 is the lowest layer. */
  readonly index: number;
  readonly digest?: string | undefined;
  readonly createdBy?: string | undefined;
}

/** Finding is one answer of one rule; the message names both sides (expected and found). */
export interface Finding {
  /** Stable id, `<room>/<rule>`, e.g. `contract/user-non-root`, `dockerfile/pipe-to-shell`. */
  readonly rule: string;
  readonly severity: Severity;
  readonly message: string;
  /** What the finding is about, stable between runs: a path, a label, a variable. Waivers match on it. */
  readonly subject: string;
  /** Section of the contract or of the document the rule enforces, e.g. `3.6`. */
  readonly section?: string | undefined;
  readonly remediation: string;
  readonly location: Location;
  /** The platform it was found on; absent when it holds for all of them. */
  readonly platform?: string | undefined;
  /** Set when a waiver turned an error into a note. */
  readonly waived?: { readonly reason: string; readonly owner: string; readonly expires: string } | undefined;
}

/** RuleInfo is a rule's static description, for help texts, SARIF and docs. */
export interface RuleInfo {
  readonly id: string;
  readonly severity: Severity;
  readonly section?: string | undefined;
  readonly summary: string;
  readonly remediation: string;
}
