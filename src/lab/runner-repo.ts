import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { PythonArtifacts } from './python.ts';
import { labSource } from './paths.ts';
import { run } from './run.ts';

/** Where the runner lies in its repository, as upstream has it. */
export const runnerPath = 'components/runners/ambient-runner';

export interface RunnerSource {
  /** Bare repository on disk. */
  readonly repository: string;
  readonly commit: string;
  readonly tree: string;
  /** sha256 over the sorted `sha256sum` lines (`<hex>  ./<path>`) of every file below the path. */
  readonly digest: string;
}

/** The lock names every wheel of both architectures with its hash, as uv's own does. */
function lockOf({ wheels }: PythonArtifacts): string {
  const names = [...new Set(wheels.map(({ name }) => name))];
  const packages = names.map((name) => {
    const own = wheels.filter((wheel) => wheel.name === name);
    const lines = own.map(
      ({ file, sha256, size }) => `    { url = "${file}", hash = "sha256:${sha256}", size = ${size} },`,
    );
    const source = 'source = { registry = "lab" }';
    const head = ['[[package]]', `name = "${name}"`, `version = "${own[0]?.version ?? ''}"`, source];
    return [...head, 'wheels = [', ...lines, ']', ''].join('\n');
  });
  const own = ['[[package]]', 'name = "ambient-runner"', 'version = "0.4.0"', 'source = { editable = "." }', ''];
  return ['version = 1', 'requires-python = ">=3.12"', '', own.join('\n'), ...packages].join('\n');
}

/**
 * makeRunnerRepository commits the stand-in runner, with fixed author and time, into a bare
 * repository that serves any commit (git-config(1), uploadpack.allowAnySHA1InWant).
 */
export async function makeRunnerRepository(directory: string, python: PythonArtifacts): Promise<RunnerSource> {
  const repository = join(directory, 'openshift-online/agent-control-plane.git');
  const worktree = join(directory, 'runner-worktree');
  await rm(repository, { recursive: true, force: true });
  await rm(worktree, { recursive: true, force: true });
  await mkdir(repository, { recursive: true });
  const source = join(labSource, 'runner');
  const names = (await run('find', ['.', '-type', 'f', '-not', '-name', '*.pyc'], { cwd: source }))
    .split('\n')
    .filter((name) => name !== '')
    .map((name) => name.slice(2));
  const files = new Map<string, Buffer>([['uv.lock', Buffer.from(lockOf(python))]]);
  for (const name of names) files.set(name, await readFile(join(source, name)));
  for (const [name, content] of files) {
    const path = join(worktree, runnerPath, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content, { mode: 0o644 });
  }
  const fixed = { NAME: 'Lab', EMAIL: 'lab@localhost', DATE: '2026-01-01T00:00:00Z' };
  const env: Record<string, string> = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' };
  for (const [key, value] of Object.entries(fixed)) {
    env[`GIT_AUTHOR_${key}`] = value;
    env[`GIT_COMMITTER_${key}`] = value;
  }
  const git = async (...args: string[]): Promise<string> =>
    (await run('git', ['--git-dir', repository, ...args], { env, cwd: worktree })).trim();
  await run('git', ['init', '--quiet', '--bare', '--initial-branch=main', repository], { env });
  await git('--work-tree', worktree, 'add', '--all');
  await git('--work-tree', worktree, 'commit', '--quiet', '--message', "The lab's stand-in runner");
  await git('config', 'uploadpack.allowAnySHA1InWant', 'true');
  await git('config', 'http.receivepack', 'false');
  const hex = (content: Buffer | string): string => createHash('sha256').update(content).digest('hex');
  const lines = [...files].map(([name, content]) => `${hex(content)}  ./${name}\n`);
  const commit = await git('rev-parse', 'main');
  const tree = await git('rev-parse', `main:${runnerPath}`);
  await rm(worktree, { recursive: true });
  return {
    repository,
    commit,
    tree,
    digest: `sha256:${hex(lines.sort().join(''))}`,
  };
}
