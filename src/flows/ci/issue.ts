import * as z from 'zod';
import { markdownText, shorten } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import { askGitHub, type Question } from './github.ts';
import type { Concern } from './watch.ts';

/** IssueKind is what tells the issue of one watch from that of another. */
export interface IssueKind {
  /** Only people who may triage can set a label, so no other issue is taken for ours. */
  readonly label: string;
  readonly title: string;
  /** First line of the issue: who keeps it. */
  readonly intro: string;
}

export const pinsIssue: IssueKind = {
  label: 'pins-watch',
  title: 'Pins, waivers or generated files need attention',
  intro: 'Found by the daily watch (`verify-pins.yml`), which updates this issue and closes it when all is well.',
};

const issues = z.array(
  z.object({ number: z.number().int(), body: z.string().nullish(), pull_request: z.unknown().optional() }),
);
const made = z.object({ number: z.number().int() });

/** What became of the one issue; `number` is absent when there is none. */
export interface IssueChange {
  readonly $case: 'opened' | 'updated' | 'unchanged' | 'closed' | 'none';
  readonly number?: number | undefined;
}

const cell = (text: string): string => markdownText(shorten(text, 1_000));

/** issueBody is the same text for the same concerns, so that an unchanged issue is left alone. */
export function issueBody(
  concerns: readonly Concern[],
  unknown: readonly Concern[] = [],
  { intro }: IssueKind = pinsIssue,
): string {
  const rowOf = ({ rule, subject, message }: Concern): string =>
    `| ${cell(rule)} | ${cell(subject)} | ${cell(message)} |`;
  const rows = concerns.map(rowOf);
  const unknownTable = ['', 'Unknown this time, so this issue stays open:', '', '| rule | about | |', '|---|---|---|'];
  return [
    intro,
    '',
    '| rule | about | |',
    '|---|---|---|',
    ...rows,
    ...(unknown.length === 0 ? [] : [...unknownTable, ...unknown.map(rowOf)]),
    '',
  ].join('\n');
}

const ask = <T>(
  host: Host,
  schema: z.ZodType<T>,
  method: Question['method'],
  path: string,
  body?: unknown,
): Promise<T> => askGitHub(host, schema, { method, path, permission: 'issues: write', body });

/**
 * fileIssue keeps one issue: opens it, brings it up to date in place, and closes it when nothing is left. What
 * is unknown opens none, since that is often over tomorrow, but as long as there is any, none is closed.
 */
export async function fileIssue(
  host: Host,
  concerns: readonly Concern[],
  unknown: readonly Concern[] = [],
  kind: IssueKind = pinsIssue,
): Promise<IssueChange> {
  const { label, title } = kind;
  const open = await ask(host, issues, 'GET', `/issues?state=open&per_page=100&labels=${label}`);
  const mine = open.filter((issue) => issue.pull_request === undefined).sort((one, other) => one.number - other.number);
  const [issue] = mine;
  const body = issueBody(concerns, unknown, kind);
  if (concerns.length === 0 && issue === undefined) return { $case: 'none' };
  if (concerns.length === 0 && unknown.length === 0 && issue !== undefined) {
    await ask(host, made, 'PATCH', `/issues/${issue.number}`, { state: 'closed', state_reason: 'completed' });
    return { $case: 'closed', number: issue.number };
  }
  if (issue === undefined) {
    const { number } = await ask(host, made, 'POST', '/issues', { title, body, labels: [label] });
    return { $case: 'opened', number };
  }
  if (issue.body === body) return { $case: 'unchanged', number: issue.number };
  await ask(host, made, 'PATCH', `/issues/${issue.number}`, { body });
  return { $case: 'updated', number: issue.number };
}
