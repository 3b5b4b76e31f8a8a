import type { BumpRow } from './bump.ts';

const days = (age: number | undefined): string => (age === undefined ? '' : `${age} d`);

/** toOf gives what a pin goes to, as a person reads it. */
export function toOf({ pin, verdict }: BumpRow): string {
  if (verdict.$case !== 'due') return '';
  const { facts } = verdict.resolved;
  if ('version' in pin && facts.version !== pin.version) return facts.version;
  if (facts.kind === 'image' && pin.kind === 'image' && facts.digest !== pin.digest)
    return `${facts.version} (${facts.digest.slice(7, 19)})`;
  return `${facts.version} (facts completed)`;
}

function noteOf({ verdict }: BumpRow): string {
  const held = 'held' in verdict ? verdict.held.map(({ version, reason }) => `${version} ${reason}`).join(', ') : '';
  switch (verdict.$case) {
    case 'due': {
      const kinds = [...new Set(verdict.resolved.evidence.map(({ kind }) => kind))].join(', ');
      return verdict.gone === undefined ? kinds : `${kinds}; gone: ${verdict.gone}`;
    }
    case 'current':
    case 'held':
      return held;
    case 'gone':
      return verdict.what;
    case 'alarm':
      return `expected ${verdict.expected}, found ${verdict.found}`;
    case 'unknown':
      return `${verdict.error.message} (${verdict.error.code})`;
    case 'nothing':
      return verdict.reason;
  }
}

/** rowsToCells gives the table: pin, old, new, answer, age, evidence or reason. */
export function rowsToCells(rows: readonly BumpRow[]): readonly (readonly string[])[] {
  return [
    ['PIN', 'OLD', 'NEW', 'ANSWER', 'AGE', 'EVIDENCE OR REASON'],
    ...rows.map((row) => [
      row.pin.name,
      'version' in row.pin ? row.pin.version : '-',
      toOf(row) || '-',
      row.verdict.$case,
      row.verdict.$case === 'due' ? days(row.verdict.age) || '-' : '-',
      noteOf(row),
    ]),
  ];
}
