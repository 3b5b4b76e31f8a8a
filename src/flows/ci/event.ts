import * as z from 'zod';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';

/** CiEvent is why this run exists and which commit it builds. */
export type CiEvent =
  | {
      readonly $case: 'pull-request';
      readonly number: number;
      /** The head of the branch: what the author wrote, never the merge commit that GitHub makes of it. */
      readonly commit: string;
      /** From a branch of this repository, by an account whose runs get secrets. */
      readonly trusted: boolean;
    }
  | { readonly $case: 'merge-queue'; readonly commit: string }
  | { readonly $case: 'default-branch'; readonly commit: string }
  | { readonly $case: 'other-branch'; readonly commit: string };

const commit = z.string().regex(/^[0-9a-f]{40}$/, 'not a commit');
const pullRequest = z.object({
  number: z.number().int().positive(),
  pull_request: z.object({
    head: z.object({ sha: commit, repo: z.object({ full_name: z.string() }).nullable() }),
    user: z.object({ login: z.string() }).nullish(),
  }),
});
const push = z.object({ repository: z.object({ default_branch: z.string().min(1) }) });

/** Runs that Dependabot starts get no secrets, whatever the branch (GitHub's documentation of Dependabot). */
const withoutSecrets = 'dependabot[bot]';

function malformed(found: string): AppError {
  return new AppError('ci/event', 'usage', 'the event of this run is not understood', {
    expected: 'pull_request, merge_group, push, workflow_dispatch or schedule, with the payload GitHub documents',
    found,
  });
}

function parsed<T>(schema: z.ZodType<T>, payload: unknown): T {
  const result = schema.safeParse(payload);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw malformed(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'malformed'}`);
}

/** parseEvent tells the run's reason from GitHub's environment variables and payload. Throws `ci/event`. */
export function parseEvent(env: Host['env'], payload: unknown): CiEvent {
  const name = env['GITHUB_EVENT_NAME'] ?? '';
  if (name === 'pull_request') {
    const { number, pull_request: request } = parsed(pullRequest, payload);
    const own = (env['GITHUB_REPOSITORY'] ?? '').toLowerCase();
    const isOurs = own !== '' && request.head.repo?.full_name.toLowerCase() === own;
    const people = [env['GITHUB_ACTOR'], request.user?.login];
    const trusted = isOurs && !people.includes(withoutSecrets);
    return { $case: 'pull-request', number, commit: request.head.sha, trusted };
  }
  const sha = parsed(commit, env['GITHUB_SHA']);
  if (name === 'merge_group') return { $case: 'merge-queue', commit: sha };
  if (!['push', 'workflow_dispatch', 'schedule'].includes(name)) throw malformed(JSON.stringify(name.slice(0, 40)));
  const { default_branch: branch } = parsed(push, payload).repository;
  const isDefault = env['GITHUB_REF'] === `refs/heads/${branch}`;
  return { $case: isDefault ? 'default-branch' : 'other-branch', commit: sha };
}

/** readEvent reads the payload that the runner left at GITHUB_EVENT_PATH. */
export async function readEvent(host: Host): Promise<CiEvent> {
  const path = host.env['GITHUB_EVENT_PATH'];
  if (path === undefined || path === '') throw malformed('no GITHUB_EVENT_PATH: this step runs in a workflow');
  const text = await host.files.readText(path, 32 * 1024 * 1024);
  let payload: unknown;
  try {
    payload = JSON.parse(text);
  } catch (cause) {
    throw new AppError('ci/event', 'usage', 'the event of this run is not JSON', { where: { file: path }, cause });
  }
  return parseEvent(host.env, payload);
}
