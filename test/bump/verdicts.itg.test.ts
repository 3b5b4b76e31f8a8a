import { describe, expect, it } from 'vitest';
import { digestOf, hexOf } from '../../src/core/index.ts';
import { alarmOf, changelog } from '../../src/flows/bump/index.ts';
import { createRegistry } from '../../src/registry/index.ts';
import { answer, on } from '../support/registries/faults.ts';
import { labelledImage } from '../support/sigstore/image.ts';
import { publishIndex } from '../support/upstream/images.ts';
import { bothPythons, pythonBuild, pythonList, pythonsPath } from '../support/upstream/pythons.ts';
import { commitFiles, git } from '../support/upstream/repository.ts';
import { ghRelease, runnerPath, stage } from './stage.ts';

const uvRepository = 'astral-sh/uv';

describe('an image upstream that moves', () => {
  it('a new tag is due, with the index digest and that of each platform', async () => {
    const here = await stage();
    const index = publishIndex(here.registry, uvRepository, '0.12.9');
    publishIndex(here.registry, uvRepository, '0.12.8');
    for (const tag of ['latest', '0.12', 'debian-slim', '0.12.9-alpine', '1.0.0', '0.13.0-rc.1'])
      publishIndex(here.registry, uvRepository, tag);
    const verdict = await here.verdict('uv', { now: true });
    expect(verdict).toMatchObject({
      $case: 'due',
      resolved: { facts: { version: '0.12.9', ...index } },
      held: [
        { version: '1.0.0', reason: 'out-of-range' },
        { version: '0.13.0-rc.1', reason: 'prerelease' },
      ],
    });
  });

  it('without dates, the cooldown counts from our own first sight of exactly these bytes', async () => {
    const here = await stage();
    publishIndex(here.registry, uvRepository, '0.12.8');
    const first = await here.bump(['uv']);
    expect(first.rows[0]?.verdict).toMatchObject({
      $case: 'held',
      held: [{ version: '0.12.8', reason: 'too-new', detail: 'seen here for 0 days, policy wants 7 days' }],
    });
    expect(first.files).toEqual(['images/first-seen.yaml']);
    here.commit();
    here.host.advance(6 * 86_400_000);
    expect(await here.verdict('uv')).toMatchObject({
      $case: 'held',
      held: [{ detail: expect.stringContaining('for 6 days') as string }],
    });
    here.host.advance(86_400_000);
    expect(await here.verdict('uv')).toMatchObject({ $case: 'due', age: 7 });
    // Other bytes under the same tag start anew.
    publishIndex(here.registry, uvRepository, '0.12.8', 'swapped');
    expect(await here.verdict('uv')).toMatchObject({
      $case: 'held',
      held: [{ detail: expect.stringContaining('for 0 days') as string }],
    });
  });

  it('an older candidate that is old enough is taken while the newest cools down', async () => {
    const here = await stage();
    publishIndex(here.registry, uvRepository, '0.12.8');
    await here.bump(['uv']);
    here.commit();
    here.host.advance(8 * 86_400_000);
    publishIndex(here.registry, uvRepository, '0.12.9');
    expect(await here.verdict('uv')).toMatchObject({
      $case: 'due',
      to: { version: '0.12.8' },
      held: [{ version: '0.12.9' }],
    });
  });

  it('the same version with other bytes is an alarm that stops every other bump', async () => {
    const here = await stage();
    const evil = publishIndex(here.registry, uvRepository, '0.12.7', 'evil');
    publishIndex(here.registry, uvRepository, '0.12.8');
    here.github.releases.get('cli/cli')?.unshift(ghRelease('2.80.0'));
    const { rows, written } = await here.bump(['uv', 'gh'], { now: true });
    expect(rows.map(({ verdict }) => verdict.$case)).toEqual(['alarm', 'due']);
    expect([written, here.status()]).toEqual([false, '']);
    const alarm = alarmOf(rows);
    expect(alarm).toMatchObject({ code: 'bump/other-bytes', exit: 3 });
    expect(alarm?.facts.found).toContain(evil.digest);
  });

  it('a tag that is meant to move is due with its new digest, not an alarm', async () => {
    const here = await stage();
    const index = publishIndex(here.registry, 'ubi10/ubi', '10', 'ubi july');
    expect(await here.verdict('ubi10')).toMatchObject({
      $case: 'due',
      to: { version: '10' },
      resolved: { facts: { digest: index.digest } },
    });
  });

  it('a vanished tag and a vanished digest are gone, and told apart', async () => {
    const here = await stage();
    const { tags, manifests } = here.registry.store.repository(uvRepository);
    tags.delete('0.12.7');
    expect(await here.verdict('uv')).toMatchObject({
      $case: 'gone',
      what: expect.stringContaining('still served') as string,
    });
    manifests.clear();
    expect(await here.verdict('uv')).toMatchObject({
      $case: 'gone',
      what: expect.stringContaining('@sha256:') as string,
    });
  });

  it('a vanished digest does not keep a newer version back', async () => {
    const here = await stage();
    const { tags, manifests } = here.registry.store.repository(uvRepository);
    tags.clear();
    manifests.clear();
    publishIndex(here.registry, uvRepository, '0.12.8');
    const verdict = await here.verdict('uv', { now: true });
    expect(verdict).toMatchObject({ $case: 'due', gone: expect.stringContaining('@sha256:') as string });
  });

  it('a version without one architecture is held, and the one before it is taken', async () => {
    const here = await stage();
    publishIndex(here.registry, uvRepository, '0.12.9', 'x', ['amd64']);
    publishIndex(here.registry, uvRepository, '0.12.8');
    expect(await here.verdict('uv', { now: true })).toMatchObject({
      $case: 'due',
      to: { version: '0.12.8' },
      held: [{ version: '0.12.9', reason: 'incomplete', detail: '0.12.9 has no linux/arm64' }],
    });
  });

  it('leads the reviewer to the releases that an image names: in its index, or in the labels of its config', async () => {
    const here = await stage();
    const source = 'https://github.com/astral-sh/uv';
    const said = { 'org.opencontainers.image.source': source };
    publishIndex(here.registry, uvRepository, '0.12.8', 'x', undefined, said);
    expect(await here.verdict('uv', { now: true })).toMatchObject({
      $case: 'due',
      resolved: { link: `${source}/releases` },
    });
    const { root, source: blobs } = labelledImage(said);
    const registry = createRegistry(here.host);
    const repo = { registry: here.registry.host, repository: uvRepository };
    await registry.push(repo, root, blobs);
    await registry.moveTag({ ...repo, tag: '0.12.9' }, root.digest);
    expect(await here.verdict('uv', { now: true })).toMatchObject({
      to: { version: '0.12.9' },
      resolved: { link: `${source}/releases` },
    });
  });

  it('a registry without digest headers is read and hashed', async () => {
    const here = await stage({ omit: ['docker-content-digest'] });
    const index = publishIndex(here.registry, uvRepository, '0.12.8');
    const verdict = await here.verdict('uv', { now: true });
    expect(verdict).toMatchObject({ $case: 'due', resolved: { facts: { digest: index.digest } } });
  });

  it('a pause that the registry asks for is kept', async () => {
    const here = await stage();
    here.misbehave(answer(on('GET', /tags\/list/), 429, { 'retry-after': '17' }, '', 1));
    expect((await here.verdict('uv')).$case).toBe('current');
    expect(here.host.slept).toContain(17_000);
  });

  it.each([
    ['an HTML page', 200, { 'content-type': 'text/html' }, '<html>login</html>'],
    ['a refusal', 403, {}, ''],
  ])('%s is "could not tell", and no other pin suffers', async (_name, status, headers, body) => {
    const here = await stage();
    here.misbehave(answer(on('GET', /astral-sh\/uv\/tags/), status, headers, body));
    here.github.releases.get('cli/cli')?.unshift(ghRelease('2.80.0'));
    const { rows, written } = await here.bump(['uv', 'gh']);
    expect(rows.map(({ verdict }) => verdict.$case)).toEqual(['unknown', 'due']);
    expect(written).toBe(true);
    expect(here.text('images/pins.yaml')).toContain('version: 0.12.7');
  });

  it('a list of 100,000 tags is searched, and one more than the limit is one error', async () => {
    const here = await stage();
    const { tags } = here.registry.store.repository(uvRepository);
    const digest = tags.get('0.12.7') ?? '';
    for (let at = 0; at < 99_998; at += 1) tags.set(`nightly-${at}`, digest);
    publishIndex(here.registry, uvRepository, '0.12.8');
    expect(await here.verdict('uv', { now: true })).toMatchObject({ $case: 'due', to: { version: '0.12.8' } });
    tags.set('one-more', digest);
    expect(await here.verdict('uv')).toMatchObject({ $case: 'unknown', error: { code: 'registry/too-many-tags' } });
  });

  it('pins of one repository share one list of tags', async () => {
    const here = await stage();
    await here.bump(['uv'], { dryRun: true });
    expect(here.registry.log.filter((line) => line.includes('tags/list'))).toHaveLength(1);
    expect(here.registry.log).toHaveLength(2);
  });
});

describe('releases', () => {
  it('one call gives every architecture; publisher, API and our own hash are the evidence', async () => {
    const here = await stage();
    const release = ghRelease('2.80.0');
    here.github.releases.get('cli/cli')?.unshift(release);
    const verdict = await here.verdict('gh');
    expect(verdict).toMatchObject({
      $case: 'due',
      resolved: {
        facts: {
          assets: ['amd64', 'arm64'].map((arch) => ({
            digest: digestOf(release.assets[`gh_2.80.0_linux_${arch}.tar.gz`] ?? ''),
          })),
        },
        evidence: [{ kind: 'publisher-checksum' }, { kind: 'api-digest' }, { kind: 'own-hash' }],
      },
    });
    expect(here.github.log.filter((line) => line.includes('/api/'))).toEqual(['GET /api/repos/cli/cli/releases']);
  });

  it('drafts, pre-releases, denied and young ones are not taken', async () => {
    const here = await stage();
    here.github.releases
      .get('cli/cli')
      ?.unshift(
        ghRelease('2.84.0', { draft: true }),
        ghRelease('2.83.0', { prerelease: true }),
        ghRelease('2.82.0', { published: '2026-11-20T00:00:00Z' }),
        ghRelease('2.81.0', { published: null }),
      );
    expect(await here.verdict('gh')).toMatchObject({
      $case: 'held',
      held: [
        { version: '2.83.0', reason: 'prerelease' },
        { version: '2.82.0', reason: 'too-new' },
        { version: '2.81.0', reason: 'age-unknown' },
      ],
    });
  });

  it('an asset missing for arm64 is held by name, and with the version asked for it is one error', async () => {
    const here = await stage();
    const release = ghRelease('2.80.0');
    delete release.assets['gh_2.80.0_linux_arm64.tar.gz'];
    here.github.releases.get('cli/cli')?.unshift(release);
    expect(await here.verdict('gh')).toMatchObject({
      $case: 'held',
      held: [{ reason: 'incomplete', detail: '2.80.0 has no asset for linux/arm64' }],
    });
    await expect(here.bump(['gh@2.80.0'])).rejects.toMatchObject({ code: 'bump/refused' });
    expect(here.status()).toBe('');
  });

  it.each([
    ['upper case', (text: string) => text.replace(/^[0-9a-f]{64}/gm, (hex) => hex.toUpperCase()), 'due'],
    ['binary markers', (text: string) => text.replaceAll('  ', ' *'), 'due'],
    ['carriage returns', (text: string) => text.replaceAll('\n', '\r\n'), 'unknown'],
    ['a duplicate line', (text: string) => text + text, 'unknown'],
    ['a missing line', (text: string) => text.replace(/.*arm64.*\n/, ''), 'unknown'],
    ['an HTML page', () => '<html>\n', 'unknown'],
  ])('a checksum file with %s', async (_name, change, outcome) => {
    const here = await stage();
    const release = ghRelease('2.80.0');
    const name = 'gh_2.80.0_checksums.txt';
    release.assets[name] = change(release.assets[name] ?? '');
    here.github.releases.get('cli/cli')?.unshift(release);
    const verdict = await here.verdict('gh');
    expect(verdict.$case).toBe(outcome);
    if (verdict.$case === 'unknown') expect(verdict.error).toMatchObject({ code: 'bump/checksum-file', exit: 3 });
  });

  it('two sources that disagree, or bytes that are neither, are an alarm', async () => {
    const here = await stage();
    const release = ghRelease('2.80.0');
    const name = 'gh_2.80.0_linux_arm64.tar.gz';
    here.github.releases.get('cli/cli')?.unshift({ ...release, digests: { [name]: digestOf('other') } });
    expect(await here.verdict('gh')).toMatchObject({ $case: 'alarm', source: name });
    const swapped = { ...release, digests: 'none' as const, assets: { ...release.assets, [name]: 'swapped' } };
    here.github.releases.set('cli/cli', [swapped, ghRelease('2.74.0')]);
    const verdict = await here.verdict('gh');
    expect(verdict).toMatchObject({ $case: 'alarm', found: `${digestOf('swapped')} (our own hash of the download)` });
  });

  it('a re-published release of the pinned version is an alarm', async () => {
    const here = await stage();
    here.github.releases.set('cli/cli', [ghRelease('2.74.0', {}, 'evil')]);
    expect(await here.verdict('gh')).toMatchObject({ $case: 'alarm', found: digestOf('gh evil amd64') });
  });

  it('evidence that the pin had may not be lost', async () => {
    const here = await stage();
    here.github.releases.get('cli/cli')?.unshift(ghRelease('2.80.0'));
    await here.bump(['gh']);
    here.commit();
    const bare = ghRelease('2.81.0');
    delete bare.assets['gh_2.81.0_checksums.txt'];
    here.github.releases.get('cli/cli')?.unshift(bare);
    expect(await here.verdict('gh')).toMatchObject({
      $case: 'held',
      held: [{ reason: 'evidence-lost', detail: 'the pin has publisher-checksum and would lose it' }],
    });
  });

  it('a downgrade is refused unless it is asked for', async () => {
    const here = await stage();
    here.github.releases.get('cli/cli')?.push(ghRelease('2.70.0'));
    expect((await here.verdict('gh')).$case).toBe('current');
    await expect(here.bump(['gh@2.70.0'])).rejects.toMatchObject({
      code: 'bump/refused',
      facts: { hint: 'add --downgrade to take an older version' },
    });
    expect((await here.bump(['gh@2.70.0'], { downgrade: true })).written).toBe(true);
  });

  it.each([
    ['HTML instead of JSON', 200, {}, '<html>', 'bump/unexpected-answer'],
    ['another shape', 200, {}, '{}', 'bump/unexpected-answer'],
    ['a server error', 500, {}, 'oops', 'bump/upstream'],
    ['a spent quota', 403, { 'x-ratelimit-remaining': '0' }, '{"message":"API rate limit exceeded"}', 'bump/upstream'],
  ])('%s is "could not tell"', async (_name, status, headers, body, code) => {
    const here = await stage();
    here.github.misbehave = (request, response) => {
      if (request.url?.startsWith('/api/') !== true) return false;
      response.writeHead(status, headers as Record<string, string>).end(body);
      return true;
    };
    expect(await here.verdict('gh')).toMatchObject({ $case: 'unknown', error: { code } });
  });

  it('waits as long as a 429 asks, and then goes on', async () => {
    const here = await stage();
    let left = 1;
    here.github.misbehave = (_request, response) => {
      if (left === 0) return false;
      left -= 1;
      response.writeHead(429, { 'retry-after': '23' }).end();
      return true;
    };
    expect((await here.verdict('gh')).$case).toBe('current');
    expect(here.host.slept).toContain(23_000);
  });

  it('a deleted release is gone', async () => {
    const here = await stage();
    here.github.releases.set('cli/cli', []);
    expect((await here.verdict('gh')).$case).toBe('gone');
  });
});

describe('npm', () => {
  const name = '@openai/codex';
  it('takes the newest up to the dist-tag latest that is old enough', async () => {
    const here = await stage();
    const codex = here.npm.packages.get(name);
    codex?.versions.set('0.118.0', { time: '2026-10-01T00:00:00Z' });
    codex?.versions.set('0.119.0', { time: '2026-11-21T00:00:00Z' });
    codex?.versions.set('0.120.0', { time: '2026-10-02T00:00:00Z' });
    if (codex !== undefined) codex.latest = '0.119.0';
    expect(await here.verdict('codex')).toMatchObject({
      $case: 'due',
      to: { version: '0.118.0' },
      held: [
        { version: '0.120.0', reason: 'prerelease' },
        { version: '0.119.0', reason: 'too-new' },
      ],
    });
    const lock = here.npm.calls.find(([command]) => command === 'install');
    expect(lock).toEqual(expect.arrayContaining(['--ignore-scripts', '--omit-lockfile-registry-resolved']));
    expect(lock).toContain('--before=2026-11-15T12:00:00.000Z');
  });

  it('leads the reviewer to the releases of the source that the package names', async () => {
    const here = await stage();
    const codex = here.npm.packages.get(name);
    codex?.versions.set('0.118.0', { time: '2026-10-01T00:00:00Z' });
    if (codex !== undefined)
      Object.assign(codex, { latest: '0.118.0', repository: 'git+https://github.com/openai/codex.git' });
    const page = changelog(await here.bump(['codex'], { dryRun: true }));
    expect(page).toContain('### codex: 0.117.0 → [0.118.0](https://github.com/openai/codex/releases)');
  });

  it('a package that is published several times a day still moves, to the newest that is old enough', async () => {
    const here = await stage();
    const codex = here.npm.packages.get(name);
    for (let at = 0; at < 12; at += 1) codex?.versions.set(`0.130.${at}`, { time: '2026-11-21T00:00:00Z' });
    codex?.versions.set('0.129.0', { time: '2026-11-01T00:00:00Z' });
    if (codex !== undefined) codex.latest = '0.130.11';
    expect(await here.verdict('codex')).toMatchObject({
      $case: 'due',
      to: { version: '0.129.0' },
      held: [{ version: '0.130.11', reason: 'too-new' }],
    });
  });

  it('other integrity under the same version is an alarm; an unpublished version is gone', async () => {
    const here = await stage();
    const codex = here.npm.packages.get(name);
    codex?.versions.set('0.117.0', { integrity: `sha512-${'A'.repeat(86)}==` });
    expect((await here.verdict('codex')).$case).toBe('alarm');
    codex?.versions.delete('0.117.0');
    codex?.versions.set('0.116.0', {});
    expect((await here.verdict('codex')).$case).toBe('gone');
  });

  it('a package set without the version is held; npm that fails is "could not tell", without credentials', async () => {
    const here = await stage();
    here.npm.packages.get('opencode-linux-arm64')?.versions.set('1.19.0', { time: '2026-10-01T00:00:00Z' });
    const opencode = here.npm.packages.get('opencode-linux-arm64');
    if (opencode !== undefined) opencode.latest = '1.19.0';
    expect(await here.verdict('opencode')).toMatchObject({ $case: 'held', held: [{ reason: 'incomplete' }] });
    here.npm.failing = 'npm error network https://me:hunter2@registry.example.com/ ECONNREFUSED';
    const verdict = await here.verdict('opencode');
    expect(verdict).toMatchObject({ $case: 'unknown', error: { code: 'bump/npm' } });
    expect(JSON.stringify(verdict)).not.toContain('hunter2');
  });
});

describe('git', () => {
  it('a commit elsewhere in the repository is no news; one below the path is', async () => {
    const here = await stage();
    commitFiles(here.upstreamRepository, { 'README.md': 'y\n' }, '2026-10-01');
    expect((await here.verdict('runner')).$case).toBe('current');
    const commit = commitFiles(here.upstreamRepository, { [`${runnerPath}/b.py`]: 'b\n' }, '2026-10-02');
    const lines = [`${hexOf(digestOf('one\n'))}  ./main.py\n`, `${hexOf(digestOf('b\n'))}  ./b.py\n`].sort().join('');
    expect(await here.verdict('runner')).toMatchObject({
      $case: 'due',
      age: 51,
      resolved: {
        facts: {
          version: '2026-10-02',
          commit,
          tree: git(here.upstreamRepository, ['rev-parse', `HEAD:${runnerPath}`]),
          digest: digestOf(lines),
        },
      },
    });
  });

  it('a link among the files, and a repository that does not answer, are "could not tell"', async () => {
    const here = await stage();
    const { symlinkSync, rmSync } = await import('node:fs');
    symlinkSync('main.py', `${here.upstreamRepository}/${runnerPath}/link.py`);
    commitFiles(here.upstreamRepository, {}, '2026-10-02');
    expect(await here.verdict('runner')).toMatchObject({ $case: 'unknown', error: { code: 'bump/git' } });
    rmSync(here.upstreamRepository, { recursive: true });
    expect((await here.verdict('runner')).$case).toBe('unknown');
  });

  it('a commit that was thrown away upstream is gone', async () => {
    const here = await stage();
    const { rmSync } = await import('node:fs');
    const { newRepository } = await import('../support/upstream/repository.ts');
    rmSync(here.upstreamRepository, { recursive: true });
    newRepository(here.upstreamRepository);
    commitFiles(here.upstreamRepository, { [`${runnerPath}/main.py`]: 'other\n' }, '2026-10-02');
    expect(await here.verdict('runner', { now: true })).toMatchObject({
      $case: 'due',
      gone: expect.any(String) as string,
    });
  });
});

describe('Python, and packages without a version', () => {
  it('what the pinned uv can install is what is offered, for both architectures', async () => {
    const here = await stage();
    here.github.raw.set(
      pythonsPath,
      pythonList(...bothPythons(3, '20260203'), ...bothPythons(4, '20260601'), pythonBuild(5, 'x86_64', '20260701')),
    );
    expect(await here.verdict('python')).toMatchObject({
      $case: 'due',
      to: {
        version: '3.14.4',
        published: '2026-06-01',
        link: 'https://github.com/astral-sh/python-build-standalone/releases/tag/20260601',
      },
      held: [{ version: '3.14.5', reason: 'incomplete' }],
    });
    here.github.raw.set(
      pythonsPath,
      pythonList(...bothPythons(3, '20260203'), pythonBuild(3, 'aarch64', '20260203', null)),
    );
    expect((await here.verdict('python')).$case).toBe('current');
  });

  it('a list that cannot be read is "could not tell"; RPMs are reported as nothing to resolve', async () => {
    const here = await stage();
    expect(await here.verdict('python')).toMatchObject({ $case: 'unknown', error: { code: 'bump/python' } });
    expect((await here.verdict('standard-rpms')).$case).toBe('nothing');
  });
});
