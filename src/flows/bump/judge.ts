import { AppError, AppErrors } from '../../errors/index.ts';
import type { Pin } from '../../core/index.ts';
import {
  ageOf,
  coolDown,
  lostEvidence,
  weigh,
  type BumpablePin,
  type Candidate,
  type Held,
  type Presence,
  type Resolved,
  type Verdict,
  type Wish,
} from '../../pins/bump/index.ts';
import type { FirstSeen } from './first-seen.ts';
import { resolverOf } from './resolvers.ts';
import { Disagreement, Incomplete, today, Unsigned, type Resolver, type Sources } from './resolver.ts';

export interface JudgeOptions {
  readonly wish: Wish;
  /** `--now`: take it without waiting. */
  readonly now: boolean;
  readonly firstSeen: FirstSeen;
}

/** Undated candidates that are looked up one by one; a busy repository would else cost a request for each tag. */
const undated = 5;

/** inTime splits the ranked candidates: the first that is old enough, and what is held before it. */
async function* inTime(
  sources: Sources,
  resolver: Resolver<BumpablePin>,
  pin: BumpablePin,
  ranked: readonly Candidate[],
  { now, firstSeen }: JudgeOptions,
): AsyncGenerator<{ readonly candidate: Candidate; readonly age?: number } | { readonly held: Held }> {
  const cooldown = now ? 0 : (pin.policy.cooldownDays ?? 0);
  const clock = sources.host.clock.now();
  let lookedUp = 0;
  for (const candidate of ranked) {
    let known = candidate;
    if (cooldown > 0 && candidate.published === undefined) {
      if (lookedUp >= undated) return;
      lookedUp += 1;
      const identity = candidate.identity ?? (await resolver.identity(pin, candidate));
      if (identity === undefined) {
        // No date and no bytes to tie a first sight to: a draft-like release, or a tag that has just gone.
        const held = coolDown(candidate.version, { from: 'unknown' }, cooldown);
        if (held !== undefined) yield { held };
        continue;
      }
      known = { ...candidate, identity };
      firstSeen.note(pin.name, candidate.version, identity, today(sources.host));
    }
    const age = ageOf(known, firstSeen.get(pin.name, candidate.version), clock);
    const held = coolDown(candidate.version, age, cooldown);
    if (held !== undefined) yield { held };
    else yield { candidate: known, ...(age.days === undefined ? {} : { age: age.days }) };
  }
}

/** changed: a candidate whose facts are all pinned already is no news. */
function changed(pin: BumpablePin, { facts }: Resolved): boolean {
  if (facts.version !== pin.version) return true;
  // What was only handed down is observed now.
  if (pin.evidence.every(({ kind }) => kind === 'recorded')) return true;
  if (facts.kind === 'image' && pin.kind === 'image')
    return facts.digest !== pin.digest || Object.keys(pin.platforms).length < Object.keys(facts.platforms).length;
  return facts.kind === 'git' && pin.kind === 'git' && (facts.commit !== pin.commit || facts.digest !== pin.digest);
}

async function choose(
  sources: Sources,
  resolver: Resolver<BumpablePin>,
  pin: BumpablePin,
  ranked: readonly Candidate[],
  before: readonly Held[],
  options: JudgeOptions,
): Promise<Verdict> {
  const held = [...before];
  for await (const step of inTime(sources, resolver, pin, ranked, options)) {
    if ('held' in step) {
      // Some publish several times a day: the newest of each reason says enough.
      if (!held.some(({ reason }) => reason === step.held.reason)) held.push(step.held);
      continue;
    }
    const { candidate, age } = step;
    let resolved: Resolved;
    try {
      resolved = await resolver.facts(pin, candidate);
    } catch (error) {
      if (error instanceof Incomplete)
        held.push({ version: candidate.version, reason: 'incomplete', detail: error.message });
      else if (error instanceof Unsigned)
        held.push({
          version: candidate.version,
          reason: 'unsigned',
          detail: `${error.message}: ${error.facts.found ?? ''}`,
        });
      else throw error;
      continue;
    }
    const lost = lostEvidence(pin.evidence, resolved.evidence);
    if (lost.length > 0) {
      const detail = `the pin has ${lost.join(', ')} and would lose it`;
      held.push({ version: candidate.version, reason: 'evidence-lost', detail });
      continue;
    }
    if (!changed(pin, resolved)) return { $case: 'current', held };
    return { $case: 'due', to: candidate, resolved, held, ...(age === undefined ? {} : { age }) };
  }
  return held.some(({ reason }) => reason !== 'out-of-range' && reason !== 'prerelease')
    ? { $case: 'held', held }
    : { $case: 'current', held };
}

function withPresence(verdict: Verdict, presence: Presence): Verdict {
  if (presence.$case !== 'gone') return verdict;
  if (verdict.$case === 'due') return { ...verdict, gone: presence.what };
  const held = verdict.$case === 'current' || verdict.$case === 'held' ? verdict.held : [];
  return { $case: 'gone', what: presence.what, held };
}

function unknownVersion(pin: BumpablePin, version: string): AppError {
  return new AppError('bump/unknown-version', 'usage', `${pin.name} has no version ${version}`, {
    expected: 'a version that the upstream offers',
    found: version,
    hint: `runner-image bump ${pin.name} --dry-run shows what it would take`,
  });
}

async function ask(sources: Sources, pin: BumpablePin, options: JudgeOptions): Promise<Verdict> {
  const resolver = await resolverOf(sources, pin);
  const { wish } = options;
  // Both questions end before an error of one of them is told: nothing goes on behind our back.
  const [there, offered] = await Promise.allSettled([
    resolver.presence(pin),
    resolver.candidates(pin, wish.version, options.now),
  ]);
  if (there.status === 'rejected') throw there.reason;
  const presence = there.value;
  if (presence.$case === 'other') {
    const { expected, found, source } = presence;
    return { $case: 'alarm', expected, found, source };
  }
  if (offered.status === 'rejected') throw offered.reason;
  const { ranked, held } =
    pin.kind === 'git' && pin.policy.range === undefined
      ? { ranked: offered.value.filter(({ version }) => !(pin.policy.deny ?? []).includes(version)), held: [] }
      : weigh(pin, offered.value, wish);
  if (wish.version !== undefined && offered.value.every(({ version }) => version !== wish.version))
    throw unknownVersion(pin, wish.version);
  const all = presence.$case === 'moved' && wish.version === undefined ? [...ranked, presence.candidate] : ranked;
  // Bytes that are pinned already need not wait.
  const settled = presence.$case === 'there' && wish.version === pin.version;
  const now = options.now || settled;
  return withPresence(await choose(sources, resolver, pin, all, held, { ...options, now }), presence);
}

/** Errors that a person mends by another command line stop everything; those of an upstream are that pin's answer. */
const isWrongUse = (error: AppError): boolean => error.code === 'bump/unknown-version';

/** judge gives one pin's verdict. What could not be told is `unknown`, and never any other answer. */
export async function judge(sources: Sources, pin: Pin, options: JudgeOptions): Promise<Verdict> {
  if (pin.kind === 'rpms')
    return { $case: 'nothing', reason: `versions float with ${pin.base}; dnf checks the signatures` };
  try {
    return await ask(sources, pin, options);
  } catch (error) {
    if (error instanceof Disagreement)
      return {
        $case: 'alarm',
        expected: error.facts.expected ?? '',
        found: error.facts.found ?? '',
        source: error.source,
      };
    if (!(error instanceof AppError) || isWrongUse(error)) throw error;
    return { $case: 'unknown', error: error instanceof AppErrors ? (error.errors[0] ?? error) : error };
  }
}
