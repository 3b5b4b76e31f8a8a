import type { AppError } from '../../errors/index.ts';
import { AppErrors, errorToJson } from '../../errors/index.ts';
import type { Pin } from '../../core/index.ts';
import type { Verdict } from '../../pins/bump/index.ts';
import { BumpError } from './errors.ts';

export interface BumpRow {
  readonly pin: Pin;
  readonly verdict: Verdict;
}

export interface BumpResult {
  readonly rows: readonly BumpRow[];
  /** Paths that were written, or with dryRun would be. */
  readonly files: readonly string[];
  readonly written: boolean;
}

/** isAnswered is false when some pin's question has no answer, or one that needs a person: never "nothing to do". */
export const isAnswered = (rows: readonly BumpRow[]): boolean =>
  rows.every(({ verdict }) => !['alarm', 'unknown', 'gone'].includes(verdict.$case));

export const isDue = (rows: readonly BumpRow[]): boolean => rows.some(({ verdict }) => verdict.$case === 'due');

/** alarmOf returns the error of every pin whose version shows other bytes: its own way out, never a bump. */
export function alarmOf(rows: readonly BumpRow[]): AppError | undefined {
  const errors = rows.flatMap(({ pin, verdict }) =>
    verdict.$case !== 'alarm'
      ? []
      : new BumpError('bump/other-bytes', 'upstream', `ALARM: ${pin.name}: the same version has other bytes`, {
          expected: verdict.expected,
          found: `${verdict.found} at ${verdict.source}`,
          hint: 'nothing was written. Do not take the new bytes over: ask the publisher what happened, and keep building from the pinned digest',
        }),
  );
  return errors.length > 1 ? new AppErrors(errors) : errors[0];
}

/** unknownsOf returns why pins could not be asked about: the table has room for the error's name alone. */
export const unknownsOf = (rows: readonly BumpRow[]): readonly AppError[] =>
  rows.flatMap(({ verdict }) => (verdict.$case === 'unknown' ? [verdict.error] : []));

/** rowToJson returns one row for `--json`: no file contents, errors as their facts. */
export function rowToJson({ pin, verdict }: BumpRow): unknown {
  // JSON leaves out what is undefined.
  const base = { pin: pin.name, kind: pin.kind, from: 'version' in pin ? pin.version : undefined };
  const { $case, ...rest } = verdict;
  if (verdict.$case === 'unknown') return { ...base, verdict: $case, error: errorToJson(verdict.error) };
  if (verdict.$case !== 'due') return { ...base, verdict: $case, ...rest };
  const { resolved, to, held, age, gone } = verdict;
  const { facts, evidence } = resolved;
  const shown = facts.kind === 'npm' ? { kind: facts.kind, version: facts.version, integrity: facts.integrity } : facts;
  const { version, published, link = resolved.link } = to;
  return { ...base, verdict: $case, to: version, facts: shown, evidence, held, age, gone, link, published };
}

/** toOf returns what a pin goes to, as a person reads it. */
export function toOf({ pin, verdict }: BumpRow): string {
  if (verdict.$case !== 'due') return '';
  const { facts } = verdict.resolved;
  if ('version' in pin && facts.version !== pin.version) return facts.version;
  if (facts.kind === 'image' && pin.kind === 'image' && facts.digest !== pin.digest)
    return `${facts.version} (${facts.digest.slice(7, 19)})`;
  return `${facts.version} (facts completed)`;
}

function noteOf(verdict: Verdict): string {
  switch (verdict.$case) {
    case 'due': {
      const kinds = [...new Set(verdict.resolved.evidence.map(({ kind }) => kind))].join(', ');
      return verdict.gone === undefined ? kinds : `${kinds}; gone: ${verdict.gone}`;
    }
    case 'current':
    case 'held':
      return verdict.held.map(({ version, reason }) => `${version} ${reason}`).join(', ');
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

/** rowsToCells returns the table: pin, old, new, answer, age, evidence or reason. */
export function rowsToCells(rows: readonly BumpRow[]): readonly (readonly string[])[] {
  const cells = rows.map((row) => {
    const { pin, verdict } = row;
    const age = verdict.$case === 'due' && verdict.age !== undefined ? `${verdict.age} d` : '-';
    const from = 'version' in pin ? pin.version : '-';
    return [pin.name, from, toOf(row) || '-', verdict.$case, age, noteOf(verdict)];
  });
  return [['PIN', 'OLD', 'NEW', 'ANSWER', 'AGE', 'EVIDENCE OR REASON'], ...cells];
}
