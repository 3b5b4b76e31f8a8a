import { join } from 'node:path';
import type { Mirrors } from '../../core/index.ts';
import type { Host } from '../../host/index.ts';
import { bump, FirstSeen, firstSeenFile, type BumpResult, type BumpRow } from '../bump/index.ts';
import { loadDefinitions } from '../plan.ts';
import { pinsOfGroup } from './bump-groups.ts';
import { writeBumpRecord, type BumpAnswer, type BumpRecord } from './bump-record.ts';
import { branchOf, fetchBranch, git } from './git.ts';

/** Messages of upstreams, as the record takes them: one line. */
const line = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').slice(0, 1000) || '?';

function answerOf({ verdict }: BumpRow): BumpAnswer {
  switch (verdict.$case) {
    case 'due': {
      const { to, resolved, age, gone } = verdict;
      return {
        $case: 'due',
        published: to.published,
        age,
        gone: gone === undefined ? undefined : line(gone),
        link: to.link ?? resolved.link,
        facts: resolved.facts,
        evidence: resolved.evidence.map(({ kind, source, seen }) => ({ kind, source: line(source), seen })),
      } as BumpAnswer;
    }
    case 'gone':
      return { $case: 'gone', what: line(verdict.what) };
    case 'unknown':
      return { $case: 'unknown', message: line(verdict.error.message) };
    case 'alarm': {
      const { expected, found, source } = verdict;
      return { $case: 'alarm', expected: line(expected), found: line(found), source: line(source) };
    }
    case 'current':
    case 'held':
    case 'nothing':
      return { $case: 'quiet' };
  }
}

function rowOf(row: BumpRow): BumpRecord['rows'][number] {
  const held = 'held' in row.verdict ? row.verdict.held : [];
  return {
    pin: row.pin.name,
    held: held.map(({ version, reason, detail }) => ({ version, reason, detail: line(detail) })),
    answer: answerOf(row),
  };
}

export interface CiBumpOptions {
  readonly root: string;
  readonly group: string;
  readonly mirrors: Mirrors;
  /** Folder for what was found, absolute. */
  readonly output: string;
}

/**
 * bumpGroup asks the upstreams about one group and writes down what they said: each pin's answer with its facts, and
 * first sights. It needs no right to write anywhere: another job derives and proposes the changes from the record.
 */
export async function bumpGroup(
  host: Host,
  { root, group, mirrors, output }: CiBumpOptions,
): Promise<{ readonly record: BumpRecord; readonly result: BumpResult }> {
  const targets = pinsOfGroup(await loadDefinitions(host, root), group);
  const base = (await git(host, root, ['rev-parse', '--verify', 'HEAD']))?.trim() ?? '';
  const proposed = await fetchBranch(host, root, branchOf(group));
  const alsoSeen =
    proposed === undefined ? undefined : await git(host, root, ['show', `${proposed}:./${firstSeenFile}`], 'fail');
  // It writes to this checkout, so that what would not fit is found here, too.
  const options = { root, targets, mirrors, dryRun: false, downgrade: false, now: false, alsoSeen };
  const result = await bump(host, options);
  const seen = result.written ? (await FirstSeen.read(host, root)).of(targets) : {};
  const record: BumpRecord = { version: 2, group, base, rows: result.rows.map(rowOf), sights: seen };
  await writeBumpRecord(host, join(output), record);
  return { record, result };
}
