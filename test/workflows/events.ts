import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { head } from './stage.ts';

/** The commit that GitHub makes of a pull request and its target, for GITHUB_SHA only. */
export const mergeCommit = 'e'.repeat(40);

const repository = { full_name: 'team/images', default_branch: 'main' };
const pullRequest = (fullName: string | null, login = 'author') => ({
  action: 'synchronize',
  number: 7,
  repository,
  pull_request: {
    number: 7,
    head: { sha: head, ref: '$(touch /tmp/pwned)', repo: fullName === null ? null : { full_name: fullName } },
    base: { ref: 'main' },
    user: { login },
  },
});

/** What GitHub gives a run: the event's name, the variables that differ, and the payload. */
export const events = {
  push: {
    env: { GITHUB_EVENT_NAME: 'push', GITHUB_REF: 'refs/heads/main', GITHUB_SHA: head },
    payload: { repository },
  },
  branch: {
    env: { GITHUB_EVENT_NAME: 'push', GITHUB_REF: 'refs/heads/try', GITHUB_SHA: head },
    payload: { repository },
  },
  dispatch: {
    env: { GITHUB_EVENT_NAME: 'workflow_dispatch', GITHUB_REF: 'refs/heads/main', GITHUB_SHA: head },
    payload: { repository, inputs: {} },
  },
  mergeGroup: {
    env: { GITHUB_EVENT_NAME: 'merge_group', GITHUB_REF: 'refs/heads/gh-readonly-queue/main/pr-7', GITHUB_SHA: head },
    payload: { repository, merge_group: { head_sha: head } },
  },
  pullRequest: {
    env: { GITHUB_EVENT_NAME: 'pull_request', GITHUB_REF: 'refs/pull/7/merge', GITHUB_SHA: mergeCommit },
    payload: pullRequest('Team/Images'),
  },
  fork: {
    env: { GITHUB_EVENT_NAME: 'pull_request', GITHUB_REF: 'refs/pull/7/merge', GITHUB_SHA: mergeCommit },
    payload: pullRequest('stranger/images'),
  },
  deletedFork: {
    env: { GITHUB_EVENT_NAME: 'pull_request', GITHUB_REF: 'refs/pull/7/merge', GITHUB_SHA: mergeCommit },
    payload: pullRequest(null),
  },
  dependabot: {
    env: { GITHUB_EVENT_NAME: 'pull_request', GITHUB_REF: 'refs/pull/7/merge', GITHUB_SHA: mergeCommit },
    payload: pullRequest('team/images', 'dependabot[bot]'),
  },
} as const;

/** runner gives the environment of a step, with the files that GitHub puts on its disk. */
export async function runner(directory: string, name: keyof typeof events): Promise<Record<string, string>> {
  const { env, payload } = events[name];
  const files = { GITHUB_EVENT_PATH: 'event.json', GITHUB_OUTPUT: 'output', GITHUB_STEP_SUMMARY: 'summary.md' };
  const paths = Object.fromEntries(Object.entries(files).map(([key, file]) => [key, join(directory, file)]));
  await writeFile(join(directory, 'event.json'), JSON.stringify(payload));
  for (const file of ['output', 'summary.md']) await writeFile(join(directory, file), '');
  return { CI: 'true', GITHUB_ACTIONS: 'true', GITHUB_REPOSITORY: 'team/images', ...env, ...paths };
}
