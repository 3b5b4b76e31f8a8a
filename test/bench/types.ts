import type { PeerName } from './peers.ts';

export interface Command {
  readonly argv: readonly [string, ...string[]];
  /** Added to the environment; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Exit codes that count as done; 0 alone by default. `check` exits with 1 when it finds something. */
  readonly accepts?: readonly number[];
}

/** Measurement is one timed run. */
export interface Measurement {
  readonly seconds: number;
  /** Of the largest single process below the command (getrusage, as GNU time prints it); absent without GNU time. */
  readonly peakBytes?: number;
  /** The last 16 MiB at most. */
  readonly stdout: string;
}

/** Part is one figure of a run that reports several, e.g. a build that also exports. */
export interface Part {
  readonly name: string;
  readonly seconds: number;
}

export interface Contender {
  readonly name: string;
  /** What it needs; a missing one makes the row say so. */
  readonly needs?: readonly PeerName[];
  /** Untimed, before every run; `round` 0 is the warm-up. */
  readonly prepare?: (round: number) => Promise<void>;
  readonly command: (round: number) => Command | Promise<Command>;
  /** Rows instead of the one with the whole time. */
  readonly parts?: (run: Measurement) => readonly Part[];
  /** Upper limit of measured rounds, for what takes minutes. */
  readonly most?: number;
  /** false: no warm-up round, for what takes minutes. */
  readonly warm?: false;
  /** What the figure holds or leaves out. */
  readonly note?: string;
}

export interface Row {
  readonly name: string;
  /** All measured runs, in order. */
  readonly seconds: readonly number[];
  readonly median?: number;
  readonly peakBytes?: number;
  readonly note?: string;
  /** Why there is no figure. */
  readonly missing?: string;
}

export interface Verdict {
  readonly aim: string;
  readonly met: boolean;
  readonly found: string;
}

export interface Trial {
  readonly title: string;
  readonly contenders: readonly Contender[];
  readonly rounds: number;
  /** Name of the row that ratios are relative to: ours. */
  readonly reference: string;
  /** Judges what was measured; an aim whose rows are missing gives no verdict. */
  readonly judge?: (rows: readonly Row[]) => readonly Verdict[];
  readonly note?: string;
}

export interface TrialResult {
  readonly case: string;
  readonly title: string;
  readonly reference: string;
  readonly rows: readonly Row[];
  readonly verdicts: readonly Verdict[];
  readonly note?: string;
}
