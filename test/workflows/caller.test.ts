import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startKit, type Kit } from '../../src/lab/sigstore/kit.ts';
import { stepsOf, workflowFiles, workflowOf } from './files.ts';

const signing = workflowFiles.find(({ file }) => file.endsWith('/sign.yml'));
const steps = signing === undefined ? [] : stepsOf(signing);
const commit = '1'.repeat(40);
const own = {
  job_workflow_ref: 'o/r/.github/workflows/sign.yml@refs/heads/main',
  workflow_ref: 'o/r/.github/workflows/build.yml@refs/heads/main',
};
let kit: Kit;
let directory: string;
beforeAll(async () => {
  kit = await startKit();
  directory = mkdtempSync(join(tmpdir(), 'caller-'));
});
afterAll(async () => {
  await kit.close();
  rmSync(directory, { recursive: true });
});
beforeEach(() => {
  writeFileSync(join(directory, 'output'), '');
});

/** The first step of sign.yml as the runner starts it, with a token of these claims. */
function called(claims: Readonly<Record<string, unknown>>, more: Readonly<Record<string, string>> = {}) {
  const env = {
    ...kit.ciEnvironment({ ...own, ...claims }),
    GITHUB_OUTPUT: join(directory, 'output'),
    ...more,
  };
  // The runner's file has no ending.
  const script = join(directory, 'step');
  writeFileSync(script, steps[0]?.run ?? 'process.exit(99)');
  return new Promise<{ code: number; stdout: string; output: string }>((resolve) => {
    execFile(process.execPath, [script], { env }, (error, stdout) => {
      const output = readFileSync(join(directory, 'output'), 'utf8');
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, stdout, output });
    });
  });
}

describe('sign.yml, called', () => {
  test('looks at its caller before any code is there, and checks out its own commit', () => {
    const [first, second] = steps;
    expect([first?.shell, first?.uses, first?.id]).toEqual(['node {0}', undefined, 'caller']);
    expect(second?.with).toMatchObject({
      repository: '${{ steps.caller.outputs.repository }}',
      ref: '${{ steps.caller.outputs.commit }}',
    });
    expect(steps.filter(({ uses }) => uses?.startsWith('actions/checkout@'))).toHaveLength(1);
    const [job] = signing === undefined ? [] : Object.values(workflowOf(signing).jobs);
    expect(job?.if?.replace(/\s+/g, ' ')).toBe(
      "github.ref == 'refs/heads/main' && (github.event_name == 'push' || github.event_name == 'workflow_dispatch') && " +
        "github.workflow_ref == format('{0}/.github/workflows/build.yml@refs/heads/main', github.repository)",
    );
  });

  test.each([['push'], ['workflow_dispatch']])(
    'by build.yml of its own repository on main, %s: goes on',
    async (event) => {
      expect(await called({ event_name: event })).toEqual({
        code: 0,
        stdout: '',
        output: `repository=o/r\ncommit=${commit}\n`,
      });
    },
  );

  test.each([
    [
      'another repository',
      { repository: 'evil/x', workflow_ref: 'evil/x/.github/workflows/build.yml@refs/heads/main' },
    ],
    ['a fork of the same name', { repository: 'evil/r' }],
    ['another workflow of this repository', { workflow_ref: 'o/r/.github/workflows/check.yml@refs/heads/main' }],
    ['a file whose name begins so', { workflow_ref: 'o/r/.github/workflows/build.yml.yml@refs/heads/main' }],
    [
      'build.yml of another branch',
      { workflow_ref: 'o/r/.github/workflows/build.yml@refs/heads/x', ref: 'refs/heads/x' },
    ],
    ['a tag', { ref: 'refs/tags/v1.0.0' }],
    ['a tag named like the branch', { ref: 'refs/tags/refs/heads/main' }],
    ['a pull request', { ref: 'refs/pull/1/merge', event_name: 'pull_request' }],
    ['a pull request with the rights of main', { event_name: 'pull_request_target' }],
    ['a comment', { event_name: 'issue_comment' }],
    ['another run', { event_name: 'workflow_run' }],
    ['a machine that is not GitHub’s', { runner_environment: 'self-hosted' }],
    ['this file at another ref', { job_workflow_ref: 'o/r/.github/workflows/sign.yml@refs/heads/x' }],
    ['another file', { job_workflow_ref: 'o/r/.github/workflows/other.yml@refs/heads/main' }],
    ['nobody that the token names', { repository: undefined }],
    ['no ref that the token names', { ref: undefined }],
    ['no event that the token names', { event_name: undefined }],
    ['no file that the token names', { job_workflow_ref: undefined }],
    ['no commit of this file', { job_workflow_sha: 'main\nrepository=evil/x' }],
  ])('by %s: ends before anything else, and outputs nothing', async (_name, claims) => {
    const ended = await called(claims);
    expect(ended).toMatchObject({ code: 1, output: '' });
    expect(ended.stdout).toMatch(/^::error::this caller gets no signature: [a-z_, ]+\n$/);
  });

  test('without a token, or with a service that answers something else, ends too', async () => {
    for (const more of [
      { ACTIONS_ID_TOKEN_REQUEST_URL: '' },
      { ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'another' },
      { ACTIONS_ID_TOKEN_REQUEST_URL: 'http://127.0.0.1:9/' },
    ])
      expect(await called({}, more)).toMatchObject({
        code: 1,
        output: '',
        stdout: expect.stringMatching(/^::error::/) as unknown,
      });
  });
});
