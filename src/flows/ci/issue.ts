import * as z from 'zod';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import type { Concern } from './watch.ts';

/** Only people who may triage can set a label, so nobody else's issue is taken for ours. */
export const issueLabel = 'pins-watch';
const title = 'Pins, waivers or generated files need attention';
const maxBytes = 4 * 1024 * 1024;

const issues = z.array(
  z.object({ number: z.number().int(), body: z.string().nullish(), pull_request: z.unknown().optional() }),
);
const made = z.object({ number: z.number().int() });

/** What became of the one issue; `number` is absent when there is none. */
export interface IssueChange {
  readonly $case: 'opened' | 'updated' | 'unchanged' | 'closed' | 'none';
  readonly number?: number;
}

const cell = (text: string): string =>
  text.replace(/[\\`|<>[\]*_@#]/g, (character) => `&#${character.charCodeAt(0)};`).replace(/\s+/g, ' ');

/** issueBody is the same text for the same concerns, so that an unchanged issue is left alone. */
export function issueBody(concerns: readonly Concern[]): string {
  const rows = concerns.map(({ rule, subject, message }) => `| ${cell(rule)} | ${cell(subject)} | ${cell(message)} |`);
  return [
    'Found by the daily watch (`verify-pins.yml`), which updates this issue and closes it when all is well.',
    '',
    '| rule | about | |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

async function ask<T>(host: Host, schema: z.ZodType<T>, method: string, path: string, body?: unknown): Promise<T> {
  const { GITHUB_API_URL: api, GITHUB_REPOSITORY: repository, GITHUB_TOKEN: token } = host.env;
  if (!api || !token || !/^[\w.-]+\/[\w.-]+$/.test(repository ?? ''))
    throw new AppError('ci/github', 'usage', 'this step needs a workflow’s environment', {
      expected: 'GITHUB_API_URL, GITHUB_REPOSITORY and GITHUB_TOKEN',
      hint: '--dry-run only tells what was found',
    });
  const where = `${api}/repos/${repository ?? ''}${path}`;
  const response = await host.fetch(where, {
    method,
    headers: {
      accept: 'application/vnd.github+json',
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'user-agent': 'openshell-runner-images',
      'x-github-api-version': '2022-11-28',
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of response.body) {
    size += (part as Buffer).length;
    if (size > maxBytes) break;
    parts.push(part as Buffer);
  }
  const text = Buffer.concat(parts).toString('utf8');
  const answer = size > maxBytes || response.status >= 300 ? undefined : schema.safeParse(safeJson(text));
  if (answer?.success === true) return answer.data;
  throw new AppError('ci/github', 'upstream', `GitHub did not answer ${method} ${path} as documented`, {
    expected: 'status 2xx with the documented JSON',
    found: `${response.status}, ${size} bytes`,
    hint: 'the job needs permission issues: write',
  });
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** fileIssue keeps one issue: opens it, brings it up to date in place, closes it when nothing is left. */
export async function fileIssue(host: Host, concerns: readonly Concern[]): Promise<IssueChange> {
  const open = await ask(host, issues, 'GET', `/issues?state=open&per_page=100&labels=${issueLabel}`);
  const mine = open.filter((issue) => issue.pull_request === undefined).sort((one, other) => one.number - other.number);
  const [issue] = mine;
  const body = issueBody(concerns);
  if (concerns.length === 0) {
    if (issue === undefined) return { $case: 'none' };
    await ask(host, made, 'PATCH', `/issues/${issue.number}`, { state: 'closed', state_reason: 'completed' });
    return { $case: 'closed', number: issue.number };
  }
  if (issue === undefined) {
    const { number } = await ask(host, made, 'POST', '/issues', { title, body, labels: [issueLabel] });
    return { $case: 'opened', number };
  }
  if (issue.body === body) return { $case: 'unchanged', number: issue.number };
  await ask(host, made, 'PATCH', `/issues/${issue.number}`, { body });
  return { $case: 'updated', number: issue.number };
}
