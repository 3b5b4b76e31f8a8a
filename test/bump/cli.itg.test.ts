import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { verifyOnline } from '../../src/flows/bump/index.ts';
import { createHost } from '../../src/host/index.ts';
import { createRegistry } from '../../src/registry/index.ts';
import { labelledImage } from '../support/sigstore/image.ts';
import { publishIndex } from '../support/upstream/images.ts';
import { git } from '../support/upstream/repository.ts';
import { command } from './command.ts';
import { edit, ghRelease, stage } from './stage.ts';

describe('runner-image bump', { timeout: 120_000 }, () => {
  it('prints a table of old and new with age and evidence; --check exits with 1 and writes nothing', async () => {
    const it = await stage();
    it.github.releases.get('cli/cli')?.unshift(ghRelease('2.80.0', { published: '2025-10-01T00:00:00Z' }));
    const { code, stdout } = await command(it, ['bump', 'gh', 'standard-rpms', '--check']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^PIN +OLD +NEW +ANSWER +AGE +EVIDENCE OR REASON$/m);
    expect(stdout).toMatch(/^gh +2\.74\.0 +2\.80\.0 +due +\d+ d +publisher-checksum, api-digest, own-hash$/m);
    expect(stdout).toMatch(/^standard-rpms +- +- +nothing/m);
    expect(stdout).toContain('would write checksums/gh/2.80.0.sha256');
    expect(it.status()).toBe('');
  });

  it('bumps, exits with 0, and writes the reviewer’s page', async () => {
    const it = await stage();
    const link = { published: '2025-10-01T00:00:00Z' };
    it.github.releases.get('cli/cli')?.unshift(ghRelease('2.80.0', link));
    const body = join(it.root, '../body.md');
    const { code, stdout } = await command(it, ['bump', 'gh', '--pr-body', body]);
    expect([code, stdout.includes('wrote images/pins.yaml')]).toEqual([0, true]);
    const page = readFileSync(body, 'utf8');
    expect(page).toContain('| gh | release | 2.74.0 | 2.80.0 |');
    expect(page).toContain('(https://github.com/cli/cli/releases/tag/v2.80.0)');
    expect(page).toMatch(/linux\/arm64 `gh_2\.80\.0_linux_arm64\.tar\.gz`, \d+ bytes: `sha256:[0-9a-f]{64}`/);
    expect(page).toContain('evidence: publisher-checksum');
  });

  it('an alarm has an exit and an error of its own, in one JSON document', async () => {
    const it = await stage();
    it.github.releases.set('cli/cli', [ghRelease('2.74.0', {}, 'evil')]);
    const { code, stdout, stderr } = await command(it, ['bump', 'gh', '--json']);
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      written: false,
      pins: [{ pin: 'gh', verdict: 'alarm' }],
      error: { code: 'bump/other-bytes' },
    });
    expect(stderr).toContain('ALARM');
    expect((await command(it, ['bump', 'gh'])).stderr).toContain('code:     bump/other-bytes');
  });

  it('exits with 3 when it could not tell, and with 2 for a pin that is none', async () => {
    const it = await stage();
    it.github.misbehave = (_request, response) => {
      response.writeHead(401).end();
      return true;
    };
    const { code, stdout } = await command(it, ['bump', 'gh', '--dry-run', '--json']);
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ pins: [{ verdict: 'unknown', error: { code: 'bump/upstream' } }] });
    expect((await command(it, ['bump', 'ghost'])).code).toBe(2);
  });
});

describe('the reviewer’s page of two built images', { timeout: 120_000 }, () => {
  it('says what became larger and which packages came and went, and replaces what it said before', async () => {
    const it = await stage();
    const registry = createRegistry(createHost({ quiet: true }));
    const repo = { registry: it.registry.host, repository: 'team/runner' };
    const references = [];
    for (const seed of ['curl', 'curl-with-a-longer-name']) {
      const { root, source } = labelledImage({}, seed);
      await registry.push(repo, root, source);
      references.push(`${repo.registry}/${repo.repository}@${root.digest}`);
    }
    const [before = '', after = ''] = references;
    const body = join(it.root, '../body.md');
    writeFileSync(body, 'Bumps 1 pin.\n');
    const run = (old: string, fresh: string) => command(it, ['sbom', 'diff', old, fresh, '--page', body]);
    expect(await run(before, after)).toMatchObject({ code: 0 });
    const page = readFileSync(body, 'utf8');
    expect(page).toMatch(/^Bumps 1 pin\.\n/);
    expect(page).toMatch(/\| linux\/arm64 \| layers, compressed \| \d+ \w+ \| \d+ \w+ \| \+\d+ \w+, \+\d/);
    expect(page).toMatch(/\| removed \| deb\/curl \|/);
    expect(page).toMatch(/\| added \| deb\/curl-with-a-longer-name \|/);
    await run(before, before);
    const again = readFileSync(body, 'utf8');
    expect([again.match(/### Images/g)?.length, again.includes('0 added, 0 removed, 0 changed')]).toEqual([1, true]);
    expect(again).toContain('the same');
    expect((await command(it, ['sbom', 'diff', before])).code).toBe(2);
  });
});

describe('runner-image bump --refresh', { timeout: 120_000 }, () => {
  it('completes what Renovate committed on its branch, and leaves a bump that nobody could tell from ours', async () => {
    const it = await stage();
    it.github.releases.get('cli/cli')?.unshift(ghRelease('2.80.0', { published: '2025-10-01T00:00:00Z' }));
    edit(it, /version: 2\.74\.0/, 'version: 2.80.0');
    it.commit('renovate: gh 2.80.0');
    const { code, stdout } = await command(it, ['bump', '--refresh', 'HEAD^']);
    expect([code, stdout]).toEqual([0, expect.stringContaining('wrote checksums/gh/2.80.0.sha256')]);
    it.commit();
    const refreshed = git(it.root, ['rev-parse', 'HEAD^{tree}']);
    git(it.root, ['reset', '--quiet', '--hard', 'HEAD~2']);
    expect((await command(it, ['bump', 'gh'])).code).toBe(0);
    it.commit();
    expect(git(it.root, ['rev-parse', 'HEAD^{tree}'])).toBe(refreshed);
  });

  it('takes no pins, and finds nothing where nothing was edited', async () => {
    const it = await stage();
    expect((await command(it, ['bump', '--refresh', 'HEAD', 'gh'])).code).toBe(2);
    expect((await command(it, ['bump', '--refresh'])).code).toBe(0);
    expect(it.status()).toBe('');
  });
});

describe('pins verify --online', { timeout: 120_000 }, () => {
  it('gives three answers, other bytes, and what is newer; nothing that was not told is green', async () => {
    const it = await stage();
    it.github.releases.get('cli/cli')?.unshift(ghRelease('2.80.0'));
    publishIndex(it.registry, 'nvidia/openshell/supervisor', '0.0.83', 'evil');
    it.registry.store.repository('astral-sh/uv').tags.clear();
    const { rows, unknown } = await verifyOnline(it.host, { root: it.root, mirrors: it.mirrors });
    expect(Object.fromEntries(rows.map(({ pin, answer }) => [pin, answer]))).toMatchObject({
      ubi10: 'there',
      gh: 'there',
      runner: 'there',
      codex: 'there',
      supervisor: 'other-bytes',
      uv: 'gone',
      python: 'could-not-tell',
      'openshell-rpms': 'not-asked',
    });
    expect(rows.find(({ pin }) => pin === 'gh')?.newer).toBe('2.80.0');
    expect(unknown).toBe(true);
    expect(it.status()).toBe('');
  });

  it('sends the token of GitHub to GitHub alone, and never to a mirror', async () => {
    const it = await stage();
    const seen: string[] = [];
    const env = { GITHUB_TOKEN: 'ghp_secret' };
    const fetch = it.host.fetch.bind(it.host);
    const direct = {
      ...it.host,
      env,
      fetch: async (url: string, options: Parameters<typeof fetch>[1] = {}) => {
        if (url.startsWith('https://'))
          seen.push(`${new URL(url).host} ${options.headers?.['authorization'] ?? 'none'}`);
        const rewritten = Object.entries(it.github.urls).find(([from]) => url.startsWith(from));
        return fetch(rewritten === undefined ? url : rewritten[1] + url.slice(rewritten[0].length), options);
      },
    };
    const urls = {
      'https://github.com/openshift-online/': it.mirrors.urls['https://github.com/openshift-online/'] ?? '',
    };
    await verifyOnline(direct, { root: it.root, mirrors: { ...it.mirrors, urls } });
    expect(seen).toContain('api.github.com Bearer ghp_secret');
    expect(seen.filter((line) => !line.startsWith('api.github.com') && !line.endsWith('none'))).toEqual([]);
    it.github.requests.length = 0;
    await verifyOnline({ ...it.host, env }, { root: it.root, mirrors: it.mirrors });
    expect(it.github.requests.some(({ headers }) => headers.authorization !== undefined)).toBe(false);
  });
});
