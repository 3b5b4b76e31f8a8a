import { AppError } from '../../errors/index.ts';
import type { Evidence, Mirrors } from '../../core/index.ts';
import type { Host } from '../../host/index.ts';
import type { BumpablePin, Candidate, Presence, Resolved } from '../../pins/bump/index.ts';
import type { Registry } from '../../registry/index.ts';
import type { Gate } from '../../registry/gate.ts';
import type { Answers } from './answers.ts';
import type { TrustSources } from '../trust/policy-file.ts';
import type { Web } from './web.ts';

/** Sources is what resolvers ask; it lives as long as one command, so that nothing is asked twice. */
export interface Sources {
  readonly host: Host;
  /** Absolute path of the project. */
  readonly root: string;
  readonly mirrors: Mirrors;
  readonly registry: Registry;
  readonly web: Web;
  /** What was learned in earlier runs; absent where there is no place for it. */
  readonly answers?: Answers;
  /** Whom to believe about signatures that a policy demands. */
  readonly trust: TrustSources;
  /** Bounds the commands (npm, git) that run at once. */
  readonly commands: Gate;
  /** Asks once per key, however many pins share the answer. */
  once<T>(key: string, ask: () => Promise<T>): Promise<T>;
  /** The other pins: a Python is known to the uv that installs it. */
  readonly pins: ReadonlyMap<string, BumpablePin>;
}

/** Resolver answers the three questions about one kind of pin. */
export interface Resolver<P extends BumpablePin> {
  /** Is what is pinned still there, with the same bytes? */
  presence(pin: P): Promise<Presence>;
  /** What the upstream offers (with `fresh`: at this moment); with `version`, that version at least, where it exists. */
  candidates(pin: P, version?: string, fresh?: boolean): Promise<readonly Candidate[]>;
  /** The digest or commit behind a candidate; undefined when it is not there. */
  identity(pin: P, candidate: Candidate): Promise<string | undefined>;
  /** Every fact, every architecture, verified. Throws Incomplete where one is missing. */
  facts(pin: P, candidate: Candidate): Promise<Resolved>;
}

/** Incomplete: a version exists and lacks something that a pin needs, such as an architecture. */
export class Incomplete extends AppError {
  constructor(message: string, found?: string) {
    super('bump/incomplete', 'upstream', message, found === undefined ? {} : { found });
  }
}

/** Unsigned: what a pin's policy demands to be signed is not, or not by whom it names. */
export class Unsigned extends AppError {
  constructor(message: string, found: string) {
    super('bump/unsigned', 'upstream', message, {
      expected: 'the signatures that policy.signed names, on every architecture',
      found,
      hint: 'do not take these bytes; ask the publisher',
    });
  }
}

/** Disagreement: two sources give different bytes for the same thing. It is told as an alarm. */
export class Disagreement extends AppError {
  readonly source: string;

  constructor(source: string, expected: string, found: string) {
    super('bump/disagreement', 'upstream', `two sources disagree about ${source}`, { expected, found });
    this.source = source;
  }
}

export function today(host: Host): string {
  return host.clock.now().toISOString().slice(0, 10);
}

export function evidenceOf(host: Host, kind: Evidence['kind'], source: string): Evidence {
  return { kind, source, seen: today(host) };
}
