import type { BumpablePin, Candidate, PinEvidence, Presence, Resolved } from '../../core/index.ts';
import { weigh, type Requested } from './policy.ts';
import type { Held, HeldReason, Verdict } from './types.ts';

export const held = ({ version }: Candidate, reason: HeldReason, detail: string): Held => ({ version, reason, detail });

/** rank orders what is offered, the most wanted first, and says what policy refuses. Age is not judged here. */
export function rank(
  pin: BumpablePin,
  presence: Presence,
  offered: readonly Candidate[],
  requested: Requested,
): { readonly ranked: readonly Candidate[]; readonly held: readonly Held[] } {
  // Commits of a branch have no order but the branch's own.
  if (pin.kind === 'git' && pin.policy.range === undefined)
    return { ranked: offered.filter(({ version }) => pin.policy.deny?.includes(version) !== true), held: [] };
  const weighed = weigh(pin, offered, requested);
  if (presence.$case !== 'moved' || requested.version !== undefined) return weighed;
  return { ...weighed, ranked: [...weighed.ranked, presence.candidate] };
}

/** lostEvidence names the kinds of evidence that a pin has and would no longer have. `recorded` is hearsay and may go. */
export function lostEvidence(before: readonly PinEvidence[], after: readonly PinEvidence[]): readonly string[] {
  const kinds = new Set(after.map(({ kind }) => kind));
  const had = new Set(before.map(({ kind }) => kind).filter((kind) => kind !== 'recorded'));
  return [...had].filter((kind) => !kinds.has(kind)).sort();
}

/** refuseFacts holds a candidate whose facts are worth less than what is pinned. */
export function refuseFacts(pin: BumpablePin, candidate: Candidate, { evidence }: Resolved): Held | undefined {
  const lost = lostEvidence(pin.evidence, evidence);
  if (lost.length === 0) return undefined;
  return held(candidate, 'evidence-lost', `the pin has ${lost.join(', ')} and would lose it`);
}

/** isNews is false for facts that are all pinned already. */
export function isNews(pin: BumpablePin, { facts }: Resolved): boolean {
  if (facts.version !== pin.version) return true;
  // What was only handed down is observed now.
  if (pin.evidence.every(({ kind }) => kind === 'recorded')) return true;
  if (facts.kind === 'image' && pin.kind === 'image')
    return facts.digest !== pin.digest || Object.keys(pin.platforms).length < Object.keys(facts.platforms).length;
  return facts.kind === 'git' && pin.kind === 'git' && (facts.commit !== pin.commit || facts.digest !== pin.digest);
}

/**
 * dependenciesUntil applies the cooldown to what a candidate brings along, too, unless the candidate itself is younger:
 * the time after which nothing of it may have been published.
 */
export function dependenciesUntil(pin: BumpablePin, { published }: Candidate, now: Date): Date | undefined {
  const days = pin.policy.cooldownDays ?? 0;
  const until = new Date(now.getTime() - days * 86_400_000);
  return days > 0 && published !== undefined && Date.parse(published) <= until.getTime() ? until : undefined;
}

/** conclude is the verdict where nothing is taken: what is out of reach by policy alone holds nothing back. */
export function conclude(presence: Presence, all: readonly Held[]): Verdict {
  if (presence.$case === 'gone') return { $case: 'gone', what: presence.what, held: all };
  const waits = all.some(({ reason }) => reason !== 'out-of-range' && reason !== 'prerelease');
  return { $case: waits ? 'held' : 'current', held: all };
}
