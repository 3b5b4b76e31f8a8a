import { AppError, AppErrors } from '../../errors/index.ts';
import type { BumpablePin, Candidate, Pin, Presence, Resolved } from '../../core/index.ts';
import type { Clock } from '../../host/index.ts';
import {
  ageOf,
  conclude,
  coolDown,
  dependenciesUntil,
  hasRoom,
  held,
  isNews,
  rank,
  refuseFacts,
  type Held,
  type Verdict,
  type Requested,
} from '../../pins/bump/index.ts';
import { Disagreement, Incomplete, type Upstream, type Upstreams } from '../../upstreams/index.ts';
import { BumpError } from './errors.ts';
import type { FirstSeen } from './first-seen.ts';
import { Unsigned, type Signatures } from './signatures.ts';

/** Undated candidates that are looked up one by one; a busy repository would else cost a request for each tag. */
const maxUndated = 5;

/** A candidate that may be taken, with everything that is known of it. */
interface Taken {
  readonly to: Candidate;
  readonly resolved: Resolved;
  /** Whole days since it was published or first seen. */
  readonly age: number | undefined;
}

/** Judge asks the upstreams about pins, and holds what they say against each pin's policy. */
export class Judge {
  readonly #upstreams: Upstreams;
  readonly #signatures: Signatures;
  readonly #firstSeen: FirstSeen;
  readonly #clock: Clock;
  /** `--now`: take it without waiting. */
  readonly #now: boolean;

  constructor(upstreams: Upstreams, signatures: Signatures, firstSeen: FirstSeen, clock: Clock, now: boolean) {
    this.#upstreams = upstreams;
    this.#signatures = signatures;
    this.#firstSeen = firstSeen;
    this.#clock = clock;
    this.#now = now;
  }

  /** verdict answers about one pin. What could not be asked is `unknown`, and never any other answer. */
  async verdict(pin: Pin, requested: Requested): Promise<Verdict> {
    if (pin.kind === 'rpms')
      return { $case: 'nothing', reason: `versions float with ${pin.base}; dnf checks the signatures` };
    try {
      return await this.#judge(pin, requested);
    } catch (error) {
      if (error instanceof Disagreement) {
        const { expected = '', found = '' } = error.facts;
        return { $case: 'alarm', expected, found, source: error.source };
      }
      // A wrong command line stops everything; an upstream's error is that pin's answer.
      if (!(error instanceof AppError) || error.code === 'bump/unknown-version') throw error;
      return { $case: 'unknown', error: error instanceof AppErrors ? (error.errors[0] ?? error) : error };
    }
  }

  /** presence is the upstream's answer; a pin that lost a signature which its policy demands counts as gone. */
  async presence(pin: BumpablePin): Promise<Presence> {
    const presence = await this.#upstream(pin).presence(pin);
    return presence.$case === 'there' ? ((await this.#signatures.lost(pin)) ?? presence) : presence;
  }

  #upstream({ kind }: BumpablePin): Upstream<BumpablePin> {
    return this.#upstreams[kind];
  }

  async #judge(pin: BumpablePin, requested: Requested): Promise<Verdict> {
    // Both questions end before an error of one of them is thrown: nothing goes on behind our back.
    const [there, offered] = await Promise.allSettled([this.presence(pin), this.#offered(pin, requested)]);
    if (there.status === 'rejected') throw there.reason;
    const presence = there.value;
    if (presence.$case === 'other') return { ...presence, $case: 'alarm' };
    if (offered.status === 'rejected') throw offered.reason;
    const ranking = rank(pin, presence, offered.value, requested);
    if (requested.version !== undefined && offered.value.every(({ version }) => version !== requested.version))
      throw new BumpError('bump/unknown-version', 'usage', `${pin.name} has no version ${requested.version}`, {
        expected: 'a version that the upstream offers',
        found: requested.version,
        hint: `runner-image bump ${pin.name} --dry-run shows what it would take`,
      });
    // Bytes that are pinned already need not wait.
    const settled = presence.$case === 'there' && requested.version === pin.version;
    const cooldown = this.#now || settled ? 0 : (pin.policy.cooldownDays ?? 0);
    return this.#choose(pin, presence, ranking.ranked, [...ranking.held], cooldown);
  }

  async #offered(pin: BumpablePin, { version }: Requested): Promise<readonly Candidate[]> {
    // A list of tags costs a request of its own, and where policy lets nothing newer in, it would say nothing.
    if (pin.kind === 'image' && version === undefined && !hasRoom(pin)) return [];
    // With a cooldown, a tag of the last hour could be held at most, never taken.
    const fresh = this.#now || (pin.policy.cooldownDays ?? 0) === 0;
    return this.#upstream(pin).candidates(pin, { version, fresh });
  }

  /** choose takes the first candidate that nothing holds. */
  async #choose(
    pin: BumpablePin,
    presence: Presence,
    ranked: readonly Candidate[],
    all: Held[],
    cooldown: number,
  ): Promise<Verdict> {
    let undated = 0;
    for (const candidate of ranked) {
      if (cooldown > 0 && candidate.published === undefined) undated += 1;
      if (undated > maxUndated) break;
      const found = await this.#consider(pin, candidate, cooldown);
      if ('reason' in found) {
        // Some publish several times a day: the newest that waits says enough.
        const waits = found.reason === 'too-new' || found.reason === 'age-unknown';
        if (!waits || all.every(({ reason }) => reason !== found.reason)) all.push(found);
      } else if (isNews(pin, found.resolved))
        return { $case: 'due', ...found, held: all, gone: presence.$case === 'gone' ? presence.what : undefined };
      else if (presence.$case === 'gone') return { $case: 'gone', what: presence.what, held: all };
      else return { $case: 'current', held: all };
    }
    return conclude(presence, all);
  }

  async #consider(pin: BumpablePin, candidate: Candidate, cooldown: number): Promise<Held | Taken> {
    const to = cooldown > 0 ? await this.#noted(pin, candidate) : candidate;
    const age = ageOf(to, this.#firstSeen.get(pin.name, to.version), this.#clock.now());
    const early = coolDown(to.version, age, cooldown);
    if (early !== undefined) return early;
    try {
      const resolved = await this.#resolve(pin, to);
      return refuseFacts(pin, to, resolved) ?? { to, resolved, age: age.days };
    } catch (error) {
      if (error instanceof Incomplete) return held(to, 'incomplete', error.message);
      if (error instanceof Unsigned) return held(to, 'unsigned', `${error.message}: ${error.facts.found ?? ''}`);
      throw error;
    }
  }

  /** What has no date is tied to its bytes, and its first sight recorded; a tag that has just gone has none. */
  async #noted(pin: BumpablePin, candidate: Candidate): Promise<Candidate> {
    if (candidate.published !== undefined) return candidate;
    const identity = candidate.identity ?? (await this.#upstream(pin).identity(pin, candidate));
    if (identity === undefined) return candidate;
    this.#firstSeen.note(pin.name, candidate.version, identity, this.#today());
    return { ...candidate, identity };
  }

  async #resolve(pin: BumpablePin, candidate: Candidate): Promise<Resolved> {
    const until = dependenciesUntil(pin, candidate, this.#clock.now());
    const resolved = await this.#upstream(pin).facts(pin, candidate, until);
    const signed = await this.#signatures.evidence(pin, resolved.facts);
    const evidence = [...resolved.evidence, ...signed].map((one) => ({ ...one, seen: this.#today() }));
    return { ...resolved, evidence };
  }

  #today(): string {
    return this.#clock.now().toISOString().slice(0, 10);
  }
}
