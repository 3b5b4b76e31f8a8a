import type { Finding, Platform, Profile } from '../core/index.ts';
import type { Host } from '../host/index.ts';
import type { ContainerEngine, Running } from './engine.ts';

/** ProbeOptions says what to start and how long to wait. All times are milliseconds. */
export interface ProbeOptions {
  /** A reference or an id that the engine already has; nothing is pulled. */
  readonly image: string;
  readonly platform: Platform;
  readonly profile: Profile;
  /** Whom a `custom` image derives from, and so how it is started. Default `standard`. */
  readonly derivedFrom?: 'standard' | 'openshell' | undefined;
  /** Run by an emulator: longer limits, and an init as process 1. Default: other CPU than this machine's. */
  readonly emulated?: boolean | undefined;
  /** From start to the first 200 of /health. Default 60 000, emulated 300 000. */
  readonly startupTimeout?: number | undefined;
  /** From SIGTERM to the end of the container. Default 10 000, emulated 30 000. */
  readonly gracePeriod?: number | undefined;
  /** For one request and its whole answer. Default 15 000, emulated 60 000. */
  readonly requestTimeout?: number | undefined;
  /** Default `claude-agent-sdk`, `gemini-cli`, `langgraph`. */
  readonly runnerTypes?: readonly string[] | undefined;
}

/** Settings are the options with every default filled in. */
export interface Settings {
  readonly image: string;
  readonly platform: Platform;
  readonly startAs: 'standard' | 'openshell';
  readonly emulated: boolean;
  readonly startupTimeout: number;
  readonly gracePeriod: number;
  readonly requestTimeout: number;
  readonly runnerTypes: readonly string[];
}

export interface CheckOutcome {
  /** `probe/health` and so on. */
  readonly check: string;
  /** `unobserved`: the check could not see what it is about; it neither passed nor failed. */
  readonly state: 'passed' | 'failed' | 'unobserved';
  readonly milliseconds: number;
}

export interface ProbeReport {
  readonly platform: Platform;
  /** Value of the label `io.ambient-code.probe` on every container of this probe. */
  readonly run: string;
  readonly findings: readonly Finding[];
  readonly checks: readonly CheckOutcome[];
  /** From the engine's start to the first 200 of /health; absent when that never came. */
  readonly startup?: number | undefined;
}

/** Probe is what a check gets: the container that all checks share, and the means to start others. */
export interface Probe {
  readonly host: Host;
  readonly settings: Settings;
  readonly engine: ContainerEngine;
  readonly run: string;
  /** Aborted by Ctrl-C and by the caller. */
  readonly signal: AbortSignal;
  /** Values that must appear in no log: name of the variable → value. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Environment of the shared container, as injected. */
  readonly injected: Readonly<Record<string, string>>;
  /** The shared container, healthy when the checks begin. */
  readonly runner: Running;
  /** Starts another container with some variables changed; `undefined` removes one. */
  start(changes: Readonly<Record<string, string>>): Promise<Running>;
  /** Logs of every container so far, for the last check. */
  readonly logs: LogEntry[];
}

export interface LogEntry {
  readonly container: string;
  readonly text: string;
}

/** Check is one row of the table in checks/index.ts. */
export interface Check {
  /** Its main rule; it may report others of the table in rules.ts. */
  readonly id: string;
  /** Returns its findings, or throws an Unobserved. */
  check(probe: Probe): Promise<readonly Finding[]>;
}

/** Unobserved says why a check saw nothing of what it is about. */
export class Unobserved extends Error {
  override readonly name = 'Unobserved';
}
