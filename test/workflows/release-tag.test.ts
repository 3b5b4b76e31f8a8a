import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { git, newRepository } from '../support/upstream/repository.ts';
import { workflowFiles, workflowOf } from './files.ts';

const release = workflowFiles.find(({ file }) => file.endsWith('/release.yml'));
const jobs = release === undefined ? undefined : workflowOf(release).jobs;
let base: string;
let origin: string;

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'release-tag-'));
  origin = join(base, 'origin');
  execFileSync('mkdir', [origin]);
  newRepository(origin);
  const commit = (name: string) => git(origin, ['commit', '--quiet', '--allow-empty', '-m', name]);
  commit('one');
  git(origin, ['branch', '--move', '--force', 'main']);
  git(origin, ['tag', 'v1.0.0']);
  commit('two');
  git(origin, ['tag', '--annotate', '-m', 'annotated', 'v1.1.0']);
  git(origin, ['checkout', '--quiet', '-b', 'evil', 'v1.0.0']);
  commit('a robot of my own');
  git(origin, ['tag', 'v6.6.6']);
  // Named like what it is compared with.
  git(origin, ['tag', 'refs/remotes/origin/main']);
  git(origin, ['checkout', '--quiet', '--orphan', 'other']);
  commit('without history');
  git(origin, ['tag', 'v7.7.7']);
});
afterAll(() => {
  rmSync(base, { recursive: true });
});

/** The first job as GitHub runs it: a checkout of the tag with every branch and tag, then its one script. */
function started(tag: string): { code: number; stdout: string; output: string; commit: string } {
  const tree = mkdtempSync(join(base, 'job-'));
  const [output, script] = [join(tree, '../output'), jobs?.['main']?.steps?.at(-1)?.run ?? 'exit 99'];
  writeFileSync(output, '');
  git(base, ['clone', '--quiet', '--no-checkout', origin, tree]);
  git(tree, ['checkout', '--quiet', '--detach', `refs/tags/${tag}`]);
  const env = { PATH: process.env['PATH'] ?? '', HOME: base, GITHUB_OUTPUT: output };
  let [code, stdout] = [0, ''];
  try {
    stdout = execFileSync('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script], {
      cwd: tree,
      env,
      stdio: 'pipe',
    }).toString();
  } catch (error) {
    const ended = error as { status: number; stdout: Buffer };
    [code, stdout] = [ended.status, ended.stdout.toString()];
  }
  const commit = git(tree, ['rev-parse', 'HEAD']);
  return { code, stdout, output: readFileSync(output, 'utf8'), commit };
}

describe('release.yml', () => {
  test.each(['v1.0.0', 'v1.1.0'])('releases a tag of a commit of main: %s, and names the commit', (tag) => {
    const { code, output, commit } = started(tag);
    expect([code, output]).toEqual([0, `commit=${commit}\n`]);
  });

  test.each([
    ['of a branch', 'v6.6.6'],
    ['of a history of its own', 'v7.7.7'],
    ['of a branch, named like main itself', 'refs/remotes/origin/main'],
  ])('ends at a tag %s, before any secret is there', (_name, tag) => {
    const { code, stdout, output } = started(tag);
    expect([code, output]).toEqual([1, '']);
    expect(stdout).toMatch(/^::error::[0-9a-f]{40} is no commit of main/);
  });

  test('gives secrets to the job after that alone, which takes the commit that was looked at', () => {
    const [first, second] = [jobs?.['main'], jobs?.['release']];
    expect([first?.environment, second?.environment, second?.needs]).toEqual([undefined, 'quay', 'main']);
    expect(JSON.stringify(first)).not.toMatch(/secrets|runner-image/);
    expect(second?.steps?.[0]?.with?.['ref']).toBe('${{ needs.main.outputs.commit }}');
  });
});
