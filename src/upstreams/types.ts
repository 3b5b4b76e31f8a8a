import type { AppError } from '../errors/index.ts';
import type { BumpablePin, Candidate, PinEvidence, Presence, Resolved } from '../core/index.ts';
import { UpstreamError } from './errors.ts';

export interface CandidateQuestion {
  /** This version at least, where it exists. */
  readonly version?: string | undefined;
  /** What there is at this moment; otherwise a list that is at most an hour old will do. */
  readonly fresh: boolean;
}

/** Upstream answers what its publisher says about one kind of pin. It knows no policy. */
export interface Upstream<P extends BumpablePin> {
  /** Is what is pinned still there, with the same bytes? */
  presence(pin: P): Promise<Presence>;
  /** What there is to take. */
  candidates(pin: P, question: CandidateQuestion): Promise<readonly Candidate[]>;
  /** The digest or commit behind a candidate; undefined when it is not there, or has none. */
  identity(pin: P, candidate: Candidate): Promise<string | undefined>;
  /**
   * Every fact, every architecture, verified. `before`: nothing that the candidate brings along may be younger.
   * Throws Incomplete where a fact is missing, Disagreement where two sources differ.
   */
  facts(pin: P, candidate: Candidate, before?: Date): Promise<Resolved>;
}

/** Upstreams has one of each kind. */
export type Upstreams = { readonly [K in BumpablePin['kind']]: Upstream<Extract<BumpablePin, { kind: K }>> };

/** Incomplete: a version exists and lacks something that a pin needs, such as an architecture. */
export class Incomplete extends UpstreamError {
  constructor(message: string, found = 'nothing') {
    super('bump/incomplete', 'upstream', message, { found });
  }
}

/** Disagreement: two sources give different bytes for the same thing, which is an alarm. */
export class Disagreement extends UpstreamError {
  readonly source: string;

  constructor(source: string, expected: string, found: string) {
    super('bump/disagreement', 'upstream', `two sources disagree about ${source}`, { expected, found });
    this.source = source;
  }
}

/** What an upstream sends is not what its documentation says. */
export const unexpected = (message: string, expected: string, found: string, cause?: unknown): AppError =>
  new UpstreamError('bump/unexpected-answer', 'upstream', message, {
    expected,
    found,
    hint: 'something between this machine and the upstream (a proxy, a login page) may answer instead of it',
    cause,
  });

export const seen = (kind: PinEvidence['kind'], source: string): PinEvidence => ({ kind, source });
