import type { Finding, Location, RuleInfo, Waiver } from '../core/index.ts';
import { finding } from './finding.ts';
import { matchesGlob } from './glob.ts';

const expired: RuleInfo = {
  id: 'contract/waiver-expired',
  severity: 'error',
  section: '3.9',
  summary: 'No waiver is past its date.',
  remediation: 'Mend what the waiver excuses, or have its owner decide anew and set a later date.',
};
const expiring: RuleInfo = {
  id: 'contract/waiver-expiring',
  severity: 'warning',
  section: '3.9',
  summary: 'No waiver is about to expire.',
  remediation: 'Mend what the waiver excuses before that day.',
};
const unused: RuleInfo = {
  id: 'contract/waiver-unused',
  severity: 'warning',
  section: '3.9',
  summary: 'Every waiver excuses something.',
  remediation: 'Remove the waiver: left behind, it would hide the next mistake of that kind.',
};

export const waiverRules: readonly RuleInfo[] = [expired, expiring, unused];

const day = 86_400_000;

/** daysLeft counts from now to the end of the waiver's last day, UTC; negative when it is over. */
function daysLeft({ expires }: Waiver, now: Date): number {
  return (Date.parse(`${expires}T00:00:00Z`) + day - now.getTime()) / day;
}

function locationOf({ where }: Waiver): Location {
  return where === undefined
    ? { $case: 'image' }
    : { $case: 'file', file: where.file, line: where.line ?? 1, column: where.column ?? 1 };
}

const matches = (waiver: Waiver, { rule, subject }: Finding): boolean =>
  waiver.rule === rule && (waiver.subject === subject || matchesGlob(waiver.subject, subject));

function waived(found: Finding, { reason, owner, expires }: Waiver): Finding {
  return { ...found, severity: 'note', waived: { reason, owner, expires } };
}

export interface WaiverOptions {
  readonly now: Date;
  /** Days before the expiry from which on it is a warning. Default 30. */
  readonly warningDays?: number | undefined;
  /** Ids of every rule: a waiver of any other one is a finding. */
  readonly knownRules?: readonly string[] | undefined;
}

function aboutWaiver(waiver: Waiver, used: boolean, options: WaiverOptions): Finding[] {
  const left = daysLeft(waiver, options.now);
  const name = `the waiver of ${waiver.rule} for ${waiver.subject} (${waiver.owner}: ${waiver.reason})`;
  const subject = `${waiver.rule} ${waiver.subject}`;
  const at = locationOf(waiver);
  if (!(left > 0)) return [finding(expired, subject, `${name} held until ${waiver.expires}; that day is over`, at)];
  const known = options.knownRules === undefined || options.knownRules.includes(waiver.rule);
  if (!used && waiver.inherited !== true) {
    const why = known ? 'nothing was found that it excuses' : `there is no rule ${waiver.rule}`;
    return [finding(unused, subject, `${name} must excuse something; ${why}`, at)];
  }
  if (left > (options.warningDays ?? 30)) return [];
  const days = Math.ceil(left);
  const message = `${name} holds until ${waiver.expires}; ${days} ${days === 1 ? 'day is' : 'days are'} left`;
  return used ? [finding(expiring, subject, message, at)] : [];
}

/**
 * applyWaivers turns what a valid waiver names into notes, and adds what is to be said about the
 * waivers themselves. An expired waiver excuses nothing and is an error of its own.
 */
export function applyWaivers(
  findings: readonly Finding[],
  waivers: readonly Waiver[],
  options: WaiverOptions,
): Finding[] {
  const valid = waivers.filter((waiver) => daysLeft(waiver, options.now) > 0);
  const used = new Set<Waiver>();
  const after = findings.map((found) => {
    const waiver = found.severity === 'note' ? undefined : valid.find((candidate) => matches(candidate, found));
    if (waiver === undefined) return found;
    used.add(waiver);
    return waived(found, waiver);
  });
  return [...after, ...waivers.flatMap((waiver) => aboutWaiver(waiver, used.has(waiver), options))];
}
