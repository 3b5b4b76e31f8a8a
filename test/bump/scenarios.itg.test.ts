import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { answer, on } from '../support/registries/faults.ts';
import { publishIndex } from '../support/upstream/images.ts';
import { git } from '../support/upstream/repository.ts';
import { command } from './command.ts';
import { show, writeShown } from './showing.ts';
import { edit, ghRelease, stage, type Stage } from './stage.ts';

const uv = 'astral-sh/uv';
const released = { published: '2025-10-01T00:00:00Z' };
const release = (it: Stage, change: (assets: Record<string, string>) => void = () => undefined): void => {
  const next = ghRelease('2.80.0', released);
  change(next.assets);
  it.github.releases.get('cli/cli')?.unshift(next);
};
const checksums = 'gh_2.80.0_checksums.txt';
const sums = (it: Stage, text: (before: string) => string): void => {
  release(it, (assets) => (assets[checksums] = text(assets[checksums] ?? '')));
};

interface Case {
  readonly does: (it: Stage) => void;
  readonly args: readonly string[];
  readonly exit: number;
  /** In stdout or stderr. */
  readonly says: RegExp;
  readonly omit?: readonly string[];
}

/** Each moves the upstream, or spoils an input; the real command answers, and no file changes. */
const cases: Readonly<Record<string, Case>> = {
  'a new tag of unknown age': {
    does: (it) => void publishIndex(it.registry, uv, '0.12.8'),
    args: ['bump', 'uv', '--dry-run'],
    exit: 0,
    says: /^uv +0\.12\.7 +- +held .*0\.12\.8 too-new/m,
  },
  'a new tag of a registry that leaves out digest headers': {
    does: (it) => void publishIndex(it.registry, uv, '0.12.8'),
    args: ['bump', 'uv', '--now', '--check'],
    exit: 1,
    says: /^uv +0\.12\.7 +0\.12\.8 +due/m,
    omit: ['docker-content-digest'],
  },
  'a version without one architecture': {
    does: (it) => void publishIndex(it.registry, uv, '0.12.8', 'x', ['amd64']),
    args: ['bump', 'uv', '--now', '--dry-run'],
    exit: 0,
    says: /held .*0\.12\.8 incomplete/,
  },
  'a re-published tag': {
    does: (it) => void publishIndex(it.registry, uv, '0.12.7', 'evil'),
    args: ['bump', 'uv'],
    exit: 3,
    says: /ALARM: uv: the same version has other bytes/,
  },
  'a digest that vanished': {
    does: (it) => {
      it.registry.store.repository(uv).manifests.clear();
      it.registry.store.repository(uv).tags.clear();
    },
    args: ['bump', 'uv'],
    exit: 3,
    says: /^uv +0\.12\.7 +- +gone .*@sha256:/m,
  },
  'a 429 that says when': {
    does: (it) => it.misbehave(answer(on('GET', /tags\/list/), 429, { 'retry-after': '1' }, '', 1)),
    args: ['bump', 'uv', '--dry-run'],
    exit: 0,
    says: /trying again in 1\.\d s[^]*current|current[^]*trying again in 1\.\d s/,
  },
  'a release that is too young': {
    does: (it) =>
      void it.github.releases.get('cli/cli')?.unshift(ghRelease('2.80.0', { published: new Date().toISOString() })),
    args: ['bump', 'gh', '--dry-run'],
    exit: 0,
    says: /held .*2\.80\.0 too-new/,
  },
  'a quota of GitHub that is spent, and says until when': {
    does: (it) => {
      let left = 1;
      it.github.misbehave = (_request, response) => {
        if (left === 0) return false;
        left -= 1;
        const reset = String(Math.ceil(Date.now() / 1000) + 2);
        response.writeHead(403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset }).end('{}');
        return true;
      };
    },
    args: ['bump', 'gh', '--dry-run'],
    exit: 0,
    says: /current[^]*trying again in \d+\.\d s|trying again in \d+\.\d s[^]*current/,
  },
  'a release of the pinned version that was published anew': {
    does: (it) => void it.github.releases.set('cli/cli', [ghRelease('2.74.0', {}, 'evil')]),
    args: ['bump', 'gh'],
    exit: 3,
    says: /ALARM: gh: the same version has other bytes/,
  },
  'a release whose API and checksum file disagree': {
    does: (it) => {
      const digests = { 'gh_2.80.0_linux_arm64.tar.gz': `sha256:${'1'.repeat(64)}` };
      it.github.releases.get('cli/cli')?.unshift({ ...ghRelease('2.80.0', released), digests });
    },
    args: ['bump', 'gh'],
    exit: 3,
    says: /ALARM: gh[^]*publisher's checksum file[^]*API of the release/,
  },
  'a release that was taken away': {
    does: (it) => void it.github.releases.set('cli/cli', []),
    args: ['bump', 'gh', '--dry-run'],
    exit: 3,
    says: /^gh +2\.74\.0 +- +gone +- +the release 2\.74\.0 of/m,
  },
  'an older version, without being asked twice': {
    does: (it) => void it.github.releases.get('cli/cli')?.push(ghRelease('2.70.0', released)),
    args: ['bump', 'gh@2.70.0'],
    exit: 2,
    says: /older than 2\.74\.0[^]*bump\/refused[^]*--downgrade|--downgrade[^]*bump\/refused/,
  },
  'a release without assets for arm64': {
    does: (it) => release(it, (assets) => delete assets['gh_2.80.0_linux_arm64.tar.gz']),
    args: ['bump', 'gh@2.80.0'],
    exit: 2,
    says: /2\.80\.0 has no asset for linux\/arm64[^]*ask the publisher[^]*bump\/refused/,
  },
  'a checksum file in upper case with binary markers': {
    does: (it) =>
      sums(it, (text) => text.replace(/^[0-9a-f]{64} {2}/gm, (sum) => sum.toUpperCase().replace('  ', ' *'))),
    args: ['bump', 'gh', '--check'],
    exit: 1,
    says: /^gh +2\.74\.0 +2\.80\.0 +due/m,
  },
  'a checksum file with carriage returns': {
    does: (it) => sums(it, (text) => text.replaceAll('\n', '\r\n')),
    args: ['bump', 'gh'],
    exit: 3,
    says: /found: +line 1: [^]*bump\/checksum-file/,
  },
  'a checksum file with a duplicate line': {
    does: (it) => sums(it, (text) => text + text),
    args: ['bump', 'gh'],
    exit: 3,
    says: /found: +line 3: [^]*bump\/checksum-file/,
  },
  'a checksum file without the line of arm64': {
    does: (it) => sums(it, (text) => text.replace(/.*arm64.*\n/, '')),
    args: ['bump', 'gh'],
    exit: 3,
    says: /found: +no line for gh_2\.80\.0_linux_arm64\.tar\.gz[^]*bump\/checksum-file/,
  },
  'an API that answers with a page': {
    does: (it) => {
      it.github.misbehave = (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/html' }).end('<html>log in</html>');
        return true;
      };
    },
    args: ['bump', 'gh'],
    exit: 3,
    says: /sent no JSON \(bump\/unexpected-answer\)/,
  },
  'more tags than are compared': {
    does: (it) => {
      const { tags } = it.registry.store.repository(uv);
      const digest = tags.get('0.12.7') ?? '';
      for (let at = 0; at <= 100_000; at += 1) tags.set(`nightly-${at}`, digest);
    },
    args: ['bump', 'uv'],
    exit: 3,
    says: /too many tags \(registry\/too-many-tags\)/,
  },
  'a pin that is none': { does: () => undefined, args: ['bump', 'ghost'], exit: 2, says: /no pin is called "ghost"/ },
  'a range that no version can satisfy': {
    does: (it) => {
      edit(it, /range: \^2, tag/, "range: '>5 <3', tag");
      it.commit();
    },
    args: ['bump', 'gh'],
    exit: 2,
    says: /no version can satisfy policy\.range[^]*bump\/range/,
  },
};

describe('an upstream that moves and inputs that are spoilt, through the real command', { timeout: 120_000 }, () => {
  afterAll(writeShown);

  it.each(Object.entries(cases))('%s', async (title, { does, args, exit, says, omit }) => {
    const here = await stage(omit === undefined ? {} : { omit });
    does(here);
    const outcome = await command(here, args);
    show({ title, line: args.join(' '), outcome });
    expect(`${outcome.stdout}\n${outcome.stderr}`).toMatch(says);
    expect([outcome.code, here.status()]).toEqual([exit, '']);
  });

  it('several pins at once, with the reviewer’s page', async () => {
    const here = await stage();
    const source = { 'org.opencontainers.image.source': 'https://github.com/astral-sh/uv' };
    publishIndex(here.registry, uv, '0.12.8', 'x', undefined, source);
    release(here);
    const body = join(here.root, '../body.md');
    const outcome = await command(here, ['bump', 'uv', 'gh', '--now', '--pr-body', body]);
    expect([outcome.code, outcome.stdout]).toEqual([0, expect.stringContaining('wrote images/pins.yaml')]);
    const text = readFileSync(body, 'utf8');
    expect(text).toContain('### uv: 0.12.7 → [0.12.8](https://github.com/astral-sh/uv/releases)');
    expect(text).toContain('### gh: 2.74.0 → [2.80.0](https://github.com/cli/cli/releases/tag/v2.80.0)');
    const title = 'several pins at once, with the reviewer’s page';
    show({ title, line: 'bump uv gh --now --pr-body body.md', outcome, wrote: { name: 'body.md', text } });
  });

  it('a rollback restores what a revision had, after asking for it again; evidence that a pin had may not be lost', async () => {
    const here = await stage();
    release(here);
    expect((await command(here, ['bump', 'gh'])).code).toBe(0);
    here.commit();
    const bare = ghRelease('2.81.0', released);
    delete bare.assets['gh_2.81.0_checksums.txt'];
    here.github.releases.get('cli/cli')?.unshift(bare);
    const held = await command(here, ['bump', 'gh', '--dry-run']);
    expect([held.code, held.stdout]).toEqual([0, expect.stringMatching(/^gh +2\.80\.0 +- +held .*evidence-lost/m)]);
    expect((await command(here, ['bump', '--to', 'HEAD^', 'gh'])).code).toBe(0);
    here.commit();
    expect(git(here.root, ['diff', '--stat', 'HEAD~2', '--', 'checksums', 'images/standard', 'images/openshell'])).toBe(
      '',
    );
    // What was served then is served no more: nothing is restored.
    here.github.releases.set('cli/cli', [ghRelease('2.74.0', released)]);
    const refused = await command(here, ['bump', '--to', 'HEAD^', 'gh']);
    expect([refused.code, refused.stderr, here.status()]).toEqual([3, expect.stringContaining('bump/gone'), '']);
  });

  it('a dirty work tree is refused, and left as it is', async () => {
    const here = await stage();
    release(here);
    edit(here, /(uv\n {4}version: )0\.12\.7/, '$10.12.6');
    const { code, stderr } = await command(here, ['bump', 'gh']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('bump/dirty')]);
    expect(here.status()).toBe('M images/pins.yaml');
  });

  it('a disk that is full during the rewrite leaves every file as it was', async () => {
    const here = await stage();
    release(here);
    const disk = mkdtempSync(join(tmpdir(), 'bump-disk-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', disk]);
    onTestFinished(() => {
      execFileSync('umount', [disk]);
      rmSync(disk, { recursive: true });
    });
    const root = join(disk, 'project');
    cpSync(here.root, root, { recursive: true });
    // What is left is enough for the lock, and for no Dockerfile.
    const left = Number(execFileSync('df', ['--output=avail', '-B1', disk], { encoding: 'utf8' }).split('\n')[1]);
    writeFileSync(join(disk, 'filler'), Buffer.alloc(left - 24 * 1024));
    const { code, stderr } = await command({ ...here, root }, ['bump', 'gh'], join(here.root, '../mirrors.yaml'));
    expect([code, stderr]).toEqual([4, expect.stringContaining('host/disk-full')]);
    expect(git(root, ['status', '--porcelain'])).toBe('');
  });
});
