import type { Case, Command, Pipeline, Simple, Word } from './ast.ts';

/** Flat is one simple command with what stands around it; a script is the row of its Flats in order. */
export interface Flat {
  /** Base name of the program, wrappers such as sudo, env and exec peeled off; '' for a bare assignment. */
  readonly name: string;
  readonly args: readonly Word[];
  readonly command: Simple;
  readonly offset: number;
  /** The pipeline it stands in. */
  readonly pipeline: Pipeline;
  /** Commands whose output it reads: those before it in its pipeline, or in the one its group stands in. */
  readonly upstream: readonly Command[];
  /** Its output goes down a pipe. */
  readonly piped: boolean;
  /** Its failure is an answer: it stands in an `if`, a `while`, before `||` or behind `!`. */
  readonly tested: boolean;
  /** Its failure ends the RUN: by `set -e`, as the last command, or by the `exit 1` that it decides on. */
  readonly stops: boolean;
  /** It stands inside `$(…)`, backquotes or `<(…)`. */
  readonly substituted: boolean;
}

export interface Unreadable {
  readonly reason: string;
  readonly offset: number;
  readonly shell?: string | undefined;
}

export interface Flattened {
  readonly commands: readonly Flat[];
  readonly cases: readonly Case[];
  readonly pipelines: readonly { readonly pipeline: Pipeline; readonly tested: boolean }[];
  /** Nested code that could not be read, and its language when that is not shell. */
  readonly unreadable: readonly Unreadable[];
}

/** fetches: the command brings bytes from the network to its stdout or a file. */
export function fetches(flat: Flat): boolean {
  return flat.name === 'curl' || flat.name === 'wget' || flat.name === 'fetch' || flat.name === 'lwp-request';
}
