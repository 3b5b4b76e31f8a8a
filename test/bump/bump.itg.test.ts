import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { check } from 'prettier';
import { describe, expect, it } from 'vitest';
import { generate } from '../../src/flows/generate.ts';
import { publishIndex } from '../support/upstream/images.ts';
import { commitFiles, git } from '../support/upstream/repository.ts';
import { closers, ghRelease, runnerPath, stage } from './stage.ts';

const isFormatted = async (text: string): Promise<boolean> =>
  check(text, { parser: 'yaml', printWidth: 120, singleQuote: true });

describe('a bump of everything', () => {
  it('when nothing moved, finds every pin current and writes nothing', async () => {
    const { bump, status } = await stage();
    const { rows, written, files } = await bump(['uv', 'supervisor', 'ubi10', 'gh', 'runner', 'claude', 'opencode']);
    expect(rows.map(({ verdict }) => verdict.$case)).toEqual(Array.from({ length: 7 }, () => 'current'));
    expect([written, files, status()]).toEqual([false, [], '']);
  });

  it('moves image, release, npm and git pins on together, with everything generated from them', async () => {
    const here = await stage();
    const index = publishIndex(here.registry, 'astral-sh/uv', '0.12.8');
    here.github.releases.get('cli/cli')?.unshift(ghRelease('2.80.0'));
    here.npm.packages.get('opencode-linux-arm64')?.versions.set('1.19.0', { time: '2026-10-01T00:00:00Z' });
    here.npm.packages.set('opencode-linux-x64-baseline', { versions: new Map([['1.19.0', {}]]) });
    const opencode = here.npm.packages.get('opencode-linux-arm64');
    if (opencode !== undefined) opencode.latest = '1.19.0';
    const head = commitFiles(here.upstreamRepository, { [`${runnerPath}/main.py`]: 'two\n' }, '2026-10-02');
    const before = here.text('images/pins.yaml');

    const { rows, files, written } = await here.bump(['uv', 'gh', 'opencode', 'runner'], { now: true });

    expect(rows.map(({ verdict }) => verdict.$case)).toEqual(['due', 'due', 'due', 'due']);
    expect(written).toBe(true);
    expect(files).toEqual(
      expect.arrayContaining([
        'images/pins.yaml',
        'checksums/gh/2.74.0.sha256',
        'checksums/gh/2.80.0.sha256',
        'images/openshell/npm/opencode/package-lock.json',
        'images/openshell/Dockerfile.openshell',
        'images/standard/Dockerfile.standard',
      ]),
    );
    const after = here.text('images/pins.yaml');
    expect(after).toContain(
      `version: 0.12.8\n    digest: ${index.digest}\n    platforms:\n      linux/amd64: ${index.platforms['linux/amd64']}`,
    );
    expect(after).toContain(`version: 2026-10-02\n    commit: ${head}`);
    expect(after).not.toContain('2.74.0');
    expect(here.text('images/openshell/npm/opencode/package.json').match(/1\.19\.0/g)).toHaveLength(2);
    expect(here.text('images/openshell/Dockerfile.openshell')).toContain(`astral-sh/uv:0.12.8@${index.digest}`);
    expect(here.status()).toContain('D checksums/gh/2.74.0.sha256');
    // Comments, order and the other entries keep their bytes.
    const comments = (text: string) => text.split('\n').filter((line) => line.trim().startsWith('#'));
    expect(comments(after)).toEqual(comments(before));
    expect(after.slice(after.indexOf('  claude:'), after.indexOf('  opencode:'))).toBe(
      before.slice(before.indexOf('  claude:'), before.indexOf('  opencode:')),
    );
    expect(await isFormatted(after)).toBe(true);
    expect((await generate(here.host, { root: here.root, check: true })).changes).toEqual([]);
    here.commit();
    expect((await here.bump(['uv', 'gh', 'opencode', 'runner'])).written).toBe(false);
  });

  it('a dry run shows the same files and writes none', async () => {
    const here = await stage();
    here.github.releases.get('cli/cli')?.unshift(ghRelease('2.80.0'));
    const { files, written, rows } = await here.bump(['gh'], { dryRun: true });
    expect(rows[0]?.verdict).toMatchObject({ $case: 'due', age: 52, to: { version: '2.80.0' } });
    expect([written, here.status()]).toEqual([false, '']);
    expect((await here.bump(['gh'])).files).toEqual(files);
  });

  it('completes facts that were only handed down, when the pinned version itself is named', async () => {
    const here = await stage();
    const { rows } = await here.bump(['uv@0.12.7']);
    expect(rows[0]?.verdict).toMatchObject({ $case: 'due', to: { version: '0.12.7' } });
    const entry = here.text('images/pins.yaml').split('\n  supervisor:')[0] ?? '';
    const uv = entry.slice(entry.indexOf('\n  uv:'));
    expect(uv).toContain('linux/arm64: sha256:');
    expect(uv).toContain('{ kind: registry-digest, source: ghcr.io/astral-sh/uv:0.12.7, seen: 2026-11-22 }');
    expect(uv).not.toContain('absent');
  });
});

describe('wrong use is one error, and nothing is touched', () => {
  it.each([
    ['an unknown pin', ['ghost'], 'bump/unknown-pin'],
    ['a version that nobody offers', ['gh@9.9.9'], 'bump/unknown-version'],
    ['an empty version', ['gh@'], 'bump/version'],
    ['a pin named twice', ['gh', 'gh@2.74.0'], 'bump/twice'],
  ])('%s', async (_name, targets, code) => {
    const here = await stage();
    await expect(here.bump(targets)).rejects.toMatchObject({ code, exit: 2 });
    expect(here.status()).toBe('');
  });

  it.each([
    ['a range that is none', '^2', 'banana'],
    ['a range without a version', '^2', "'>5 <3'"],
  ])('%s', async (_name, from, to) => {
    const here = await stage();
    const file = join(here.root, 'images/pins.yaml');
    writeFileSync(file, here.text('images/pins.yaml').replace(`range: ${from}, tag`, `range: ${to}, tag`));
    here.commit();
    await expect(here.bump(['gh'])).rejects.toMatchObject({ code: 'bump/range', exit: 2 });
    expect(here.github.log).toEqual([]);
  });

  it('a dirty work tree, before anything is fetched', async () => {
    const here = await stage();
    here.github.releases.get('cli/cli')?.unshift(ghRelease('2.80.0'));
    const file = join(here.root, 'images/pins.yaml');
    writeFileSync(file, `${here.text('images/pins.yaml')}# mine\n`);
    await expect(here.bump(['gh'])).rejects.toMatchObject({ code: 'bump/dirty', exit: 2 });
    expect(here.github.log).toEqual([]);
    expect(here.status()).toBe('M images/pins.yaml');
  });

  it('a generated file with changes of its own, before anything is written', async () => {
    const here = await stage();
    here.github.releases.get('cli/cli')?.unshift(ghRelease('2.80.0'));
    const file = 'images/openshell/Dockerfile.openshell';
    writeFileSync(join(here.root, file), '# mine\n');
    await expect(here.bump(['gh'])).rejects.toMatchObject({ code: 'bump/dirty', facts: { found: file } });
    expect(readFileSync(join(here.root, file), 'utf8')).toBe('# mine\n');
    expect(here.status()).toBe(`M ${file}`);
  });

  it('a project outside git', async () => {
    const here = await stage();
    const { rmSync } = await import('node:fs');
    rmSync(join(here.root, '.git'), { recursive: true });
    await expect(here.bump(['gh'])).rejects.toMatchObject({ code: 'bump/no-repository', exit: 2 });
  });
});

describe('rollback', () => {
  it('restores the facts of a revision, with checksums and Dockerfiles, after hashing them again', async () => {
    const here = await stage();
    const start = git(here.root, ['rev-parse', 'HEAD']);
    const dockerfile = here.text('images/openshell/Dockerfile.openshell');
    here.github.releases.get('cli/cli')?.unshift(ghRelease('2.80.0'));
    await here.bump(['gh']);
    here.commit();
    const { rows } = await here.bump(['gh'], { to: start });
    expect(rows[0]?.verdict).toMatchObject({ $case: 'due', to: { version: '2.74.0' } });
    expect(here.text('images/openshell/Dockerfile.openshell')).toBe(dockerfile);
    expect(here.text('checksums/gh/2.74.0.sha256')).toContain('gh_2.74.0_linux_arm64.tar.gz');
    expect(here.text('images/pins.yaml')).toContain('restored from history and hashed again');
  });

  it('takes a date for the last commit of that day', async () => {
    const here = await stage();
    publishIndex(here.registry, 'astral-sh/uv', '0.12.8');
    await here.bump(['uv'], { now: true });
    here.commit();
    await here.bump(['uv'], { to: '2026-11-02' });
    expect(here.text('images/pins.yaml')).toContain('version: 0.12.7');
    await expect(here.bump(['uv'], { to: '2001-01-01', dryRun: true })).rejects.toMatchObject({
      code: 'bump/revision',
    });
  });

  it('refuses bytes that the upstream has changed since, and revisions that git does not know', async () => {
    const here = await stage();
    const start = git(here.root, ['rev-parse', 'HEAD']);
    here.github.releases.get('cli/cli')?.unshift(ghRelease('2.80.0'));
    await here.bump(['gh']);
    here.commit();
    here.github.releases.set('cli/cli', [ghRelease('2.80.0'), ghRelease('2.74.0', {}, 'evil')]);
    await expect(here.bump(['gh'], { to: start })).rejects.toMatchObject({ code: 'bump/other-bytes', exit: 3 });
    await expect(here.bump(['gh'], { to: 'no-such-rev' })).rejects.toMatchObject({ code: 'bump/revision', exit: 2 });
    expect(here.status()).toBe('');
    expect(closers.length).toBeGreaterThan(0);
  });
});
