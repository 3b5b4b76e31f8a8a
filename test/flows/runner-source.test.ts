import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { labelNames, type ImageConfig } from '../../src/core/index.ts';
import { contextSource } from '../../src/engines/index.ts';
import { planVariant } from '../../src/flows/plan.ts';
import { refuseChangedRunner } from '../../src/flows/publish/refuse.ts';
import { readRunnerSource, remoteUrl, withRunnerSource, type LocalRunner } from '../../src/flows/runner-source.ts';
import { resolvedDependencies } from '../../src/sigstore/dependencies.ts';
import { committed, root } from '../dockerfile/definitions.ts';
import { codesOf } from '../support/codes.ts';
import { fakeHost } from '../support/fake-host.ts';

const path = 'components/runners/ambient-runner';
let work: string;
let folder: string;
const git = (...args: string[]): string =>
  execFileSync('git', ['-C', work, ...args], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: work, GIT_CONFIG_NOSYSTEM: '1' },
  }).trim();
const write = async (name: string, content: string): Promise<void> => {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), content);
};
function commit(): void {
  git('add', '--all');
  git('-c', 'user.name=t', '-c', 'user.email=t@localhost', 'commit', '--quiet', '--message', 'x');
}

const files: Readonly<Record<string, string>> = {
  'ambient_runner/__init__.py': '',
  'main.py': 'app = None\n',
  'pyproject.toml': '[project]\nname = "ambient-runner"\n',
  'uv.lock': 'version = 1\n',
};

beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), 'runner-source-'));
  folder = join(work, path);
  for (const [name, content] of Object.entries(files)) await write(name, content);
  await writeFile(join(work, '.gitignore'), '*.pyc\n');
  git('init', '--quiet');
  git('remote', 'add', 'origin', 'https://user:secret@example.com/o/platform.git');
  commit();
});
afterEach(() => rm(work, { recursive: true }));

const read = (at = folder): Promise<LocalRunner> => readRunnerSource(fakeHost(), at);
const refused = (at = folder): Promise<string[]> =>
  read(at).then(
    () => [],
    (error: unknown) => codesOf(error),
  );

describe('a folder of a git work tree', () => {
  it('is exactly the files that git tracks there, with the digest that a pin would have', async () => {
    await write('untracked.py', 'x');
    await write('main.pyc', 'x');
    await writeFile(join(work, 'elsewhere.py'), 'x');
    const { source, files: found } = await read();
    expect(found.map((one) => one.path)).toEqual(Object.keys(files).map((name) => `runner-source/${name}`));
    const lines = Object.entries(files).map(([name, content]) => {
      const hex = createHash('sha256').update(content).digest('hex');
      return `${hex}  ./${name}\n`;
    });
    expect(source).toEqual({
      kind: 'local',
      repository: 'https://example.com/o/platform',
      commit: git('rev-parse', 'HEAD'),
      dirty: false,
      path,
      tree: git('rev-parse', `HEAD:${path}`),
      digest: `sha256:${createHash('sha256').update(lines.sort().join('')).digest('hex')}`,
      files: 4,
    });
  });

  it('is dirty where a tracked file is not the commit’s: changed, staged or added', async () => {
    const before = (await read()).source;
    await write('main.py', 'app = 1\n');
    const changed = (await read()).source;
    expect([changed.dirty, changed.digest === before.digest]).toEqual([true, false]);
    git('checkout', '--quiet', '.');
    await write('more.py', '');
    git('add', '--all');
    expect((await read()).source).toMatchObject({ dirty: true, files: 5, commit: before.commit });
  });

  it('a change beside the folder makes nothing dirty, and its own top is a folder, too', async () => {
    await writeFile(join(work, '.gitignore'), '*.o\n');
    expect((await read()).source.dirty).toBe(false);
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(work, name)), { recursive: true });
      await writeFile(join(work, name), content);
    }
    commit();
    expect((await read(work)).source).toMatchObject({ path: '.', tree: git('rev-parse', 'HEAD:') });
  });

  it('without a remote no repository is named', async () => {
    git('remote', 'remove', 'origin');
    expect((await read()).source.repository).toBeUndefined();
  });

  it.each([
    ['git@github.com:o/r.git', 'https://github.com/o/r'],
    ['https://token@github.com/o/r', 'https://github.com/o/r'],
    ['ssh://git@host.example:22/o/r.git', 'https://host.example/o/r'],
    ['/srv/git/r.git', undefined],
    ['../r', undefined],
    ['file:///srv/r.git', undefined],
  ])('the remote %s is named %s', (said, expected) => {
    expect(remoteUrl(said)).toBe(expected);
  });
});

describe('what is refused', () => {
  it('a folder that is none, or of no work tree, or without a commit', async () => {
    expect(await refused(join(work, 'nowhere'))).toEqual(['runner-source/no-work-tree']);
    const other = await mkdtemp(join(tmpdir(), 'runner-source-bare-'));
    expect(await refused(other)).toEqual(['runner-source/no-work-tree']);
    execFileSync('git', ['-C', other, 'init', '--quiet']);
    expect(await refused(other)).toEqual(['runner-source/no-work-tree']);
    await rm(other, { recursive: true });
  });

  it('links, wherever they lead, and a file where a tracked one is gone: all at once', async () => {
    await symlink('/etc/passwd', join(folder, 'out'));
    await symlink('main.py', join(folder, 'in'));
    commit();
    expect(await refused()).toEqual(['runner-source/link', 'runner-source/link']);
    git('rm', '--quiet', '-f', join(folder, 'out'), join(folder, 'in'));
    commit();
    await rm(join(folder, 'main.py'));
    await rm(join(folder, 'uv.lock'));
    await symlink('/etc/passwd', join(folder, 'uv.lock'));
    expect(await refused()).toEqual(['runner-source/missing', 'runner-source/missing']);
  });

  it('a folder without the files that the build needs, each named', async () => {
    git('rm', '--quiet', join(folder, 'pyproject.toml'), join(folder, 'uv.lock'));
    commit();
    expect(await refused()).toEqual(['runner-source/incomplete', 'runner-source/incomplete']);
  });

  it('a file over the limit', async () => {
    await write('model.bin', 'x'.repeat(4 * 1024 * 1024 + 1));
    commit();
    expect(await refused()).toEqual(['runner-source/too-large']);
  });

  it('a project whose images take no runner', async () => {
    const none = { ...committed, images: [] };
    const local = await read();
    expect(
      codesOf(
        await Promise.resolve()
          .then(() => withRunnerSource(none, local))
          .catch((error: unknown) => error),
      ),
    ).toEqual(['runner-source/unpinned']);
  });
});

describe('the plan', () => {
  const planOf = (runnerSource?: string, variant = 'standard') =>
    planVariant(fakeHost({ env: { SOURCE_DATE_EPOCH: '1750000000' } }), committed, { root, variant, runnerSource });

  it.each(['standard', 'openshell-claude'])(
    '%s takes the folder in the place of the pin, and says so',
    async (variant) => {
      const plan = await planOf(folder, variant);
      const { source } = await read();
      expect(plan.runnerSource).toEqual(source);
      expect(plan.labels[labelNames.runnerSource]).toBe(`local:${source.digest}`);
      expect(plan.dockerfile.text).toContain(`echo '${source.digest.slice(7)}  /tmp/files'`);
      expect(plan.dockerfile.text).not.toContain('git fetch');
      expect(plan.pins.find(({ name }) => name === 'runner')).toMatchObject({
        commit: source.commit,
        digest: source.digest,
      });
      expect(plan.context.filter((one) => one.path.startsWith('runner-source/'))).toHaveLength(4);
      expect((await planOf(undefined, variant)).labels[labelNames.runnerSource]).toBeUndefined();
    },
  );

  it('has another input digest for other files, the same for another commit of the same files', async () => {
    const before = await planOf(folder);
    git('-c', 'user.name=t', '-c', 'user.email=t@localhost', 'commit', '--quiet', '--allow-empty', '-m', 'y');
    const again = await planOf(folder);
    expect(again.runnerSource?.commit).not.toBe(before.runnerSource?.commit);
    expect(again.inputDigest).toBe(before.inputDigest);
    await write('main.py', 'app = 2\n');
    expect((await planOf(folder)).inputDigest).not.toBe(before.inputDigest);
    expect((await planOf()).inputDigest).not.toBe(before.inputDigest);
  });

  it('the context holds the folder’s files, and a file changed since the plan ends the build', async () => {
    const plan = await planOf(folder);
    const context = await contextSource(fakeHost(), { root, files: plan.context, dockerfile: plan.dockerfile.text });
    expect((await buffer(context())).includes('runner-source/ambient_runner/__init__.py')).toBe(true);
    await write('main.py', 'app = 3!!!\n');
    const late = await contextSource(fakeHost(), { root, files: plan.context, dockerfile: plan.dockerfile.text });
    await expect(buffer(late())).rejects.toMatchObject({ code: 'engines/context-changed' });
  });

  it('provenance names repository and commit, and of changed files their own digest alone', async () => {
    const runnerOf = async () => resolvedDependencies(await planOf(folder)).find(({ name }) => name === 'runner');
    const { source } = await read();
    expect(await runnerOf()).toEqual({
      name: 'runner',
      uri: `git+https://example.com/o/platform@${source.commit}#${path}`,
      digest: { gitCommit: source.commit, gitTree: source.tree },
      annotations: { files: source.digest, source: 'local', dirty: false },
    });
    await write('main.py', 'app = 4\n');
    const changed = await runnerOf();
    expect([changed?.digest, changed?.annotations?.['dirty']]).toEqual([undefined, true]);
  });
});

it('an image with a changed runner is published nowhere, also not on loopback', () => {
  const config = (value: string): ImageConfig =>
    ({ config: { Labels: { [labelNames.runnerSource]: value } } }) as unknown as ImageConfig;
  expect(() => {
    refuseChangedRunner([config('local:sha256:0'), config('local-dirty:sha256:0')]);
  }).toThrow('changed since its commit');
  refuseChangedRunner([config('local:sha256:0')]);
});
