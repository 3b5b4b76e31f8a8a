import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createRegistry } from '../../src/registry/index.ts';
import { startDockerRegistry } from '../support/registries/docker-registry.ts';
import { startFaultProxy } from '../support/registries/fault-proxy.ts';
import { labelledImage } from '../support/sigstore/image.ts';
import { startGitServer } from '../support/upstream/git-http.ts';
import { commitFiles, git, newRepository } from '../support/upstream/repository.ts';
import { command } from './command.ts';
import { remembering } from './remembering.ts';
import { edit, runnerPath, stage } from './stage.ts';

const images = ['ubi10', 'uv', 'supervisor'];
const packages = ['claude', 'codex', 'copilot', 'gemini', 'opencode'];

/** A stage whose git repositories are asked over HTTP, and counted. */
async function overHttp() {
  const folder = mkdtempSync(join(tmpdir(), 'bump-git-'));
  const server = await startGitServer(folder);
  onTestFinished(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const urls = Object.fromEntries(
    ['openshift-online', 'actions'].map((owner) => [`https://github.com/${owner}/`, `${server.origin}${owner}/`]),
  );
  const here = await remembering(urls);
  const platform = join(folder, 'openshift-online/agent-control-plane');
  mkdirSync(join(folder, 'openshift-online'));
  git(folder, ['clone', '--quiet', here.it.upstreamRepository, platform]);
  git(platform, ['remote', 'remove', 'origin']);
  const checkout = join(folder, 'actions/checkout');
  newRepository(checkout);
  const commit = commitFiles(checkout, { 'action.yml': 'x\n' }, '2026-01-01');
  git(checkout, ['tag', '-a', 'v5.0.0', '-m', 'release']);
  edit(here.it, /(actions\/checkout\n {4}version: 5\.0\.0\n {4}commit: )\S+/, `$1${commit}`);
  const run = async (...targets: readonly string[]) => {
    server.log.length = 0;
    const asked = await here.run(targets);
    return { ...asked, git: [...server.log] };
  };
  return { ...here, run, platform, server };
}

describe('when nothing changed', { timeout: 120_000 }, () => {
  it('every kind of pin costs at most one request, and what has a body comes without it', async () => {
    const { it: here, run } = await overHttp();
    const pins = [...images, 'gh', 'python', 'runner', 'action-checkout', ...packages];
    const first = await run(...pins);
    expect(new Set(Object.values(first.answers))).toEqual(new Set(['current']));
    const { answers, registry, github, npm, git: fetched, gets } = await run(...pins);
    expect(answers).toEqual(first.answers);
    expect(registry.map((line) => line.split(' ')[0])).toEqual(['HEAD', 'HEAD', 'HEAD']);
    // gh: the list of releases; python: uv's list. The publisher's checksums are known by the digest that the API states.
    expect(github.map((line) => line.replace(/.*\//, '')).sort()).toEqual(['download-metadata.json', 'releases']);
    expect(fetched.sort()).toEqual([
      'GET /actions/checkout/info/refs?service=git-upload-pack',
      'GET /openshift-online/agent-control-plane/info/refs?service=git-upload-pack',
    ]);
    expect(registry.length + github.length + npm + fetched.length).toBeLessThanOrEqual(pins.length);
    expect(new Set(gets)).toEqual(new Set([304]));
    expect(here.status()).toBe('M images/pins.yaml');
  });

  it('an hour later the tags are asked for again, where the range could let one in', async () => {
    const { it: here, run } = await overHttp();
    await run(...images);
    here.host.advance(60 * 60_000);
    const { registry, gets } = await run(...images);
    // Nothing newer than `10` of its shape can be in ^10: that list is never read.
    expect(registry.filter((line) => line.includes('tags/list')).sort()).toEqual([
      'GET /v2/astral-sh/uv/tags/list',
      'GET /v2/nvidia/openshell/supervisor/tags/list',
    ]);
    expect([registry.length, new Set(gets)]).toEqual([5, new Set([304])]);
  });

  it('a branch that moved on elsewhere is read once; the pinned commit, which nothing names then, is asked for', async () => {
    const { run, platform, server } = await overHttp();
    await run('runner');
    commitFiles(platform, { 'README.md': 'elsewhere\n' }, '2026-10-01');
    expect((await run('runner')).answers).toEqual({ runner: 'current' });
    const again = await run('runner');
    expect(again.answers).toEqual({ runner: 'current' });
    // All refs, and one fetch, which git makes of two requests.
    expect(again.git).toHaveLength(3);
    commitFiles(platform, { [`${runnerPath}/main.py`]: 'two\n' }, '2026-10-02');
    expect((await run('runner')).answers).toEqual({ runner: 'due' });
    await server.close();
    expect((await run('runner')).answers).toEqual({ runner: 'unknown' });
  });

  it('a registry without entity tags is asked once, too: the real command, before a real registry', async () => {
    const real = await startDockerRegistry();
    const proxy = await startFaultProxy(real.host);
    onTestFinished(async () => {
      await proxy.close();
      await real.close();
    });
    const here = await stage();
    const repo = { registry: real.host, repository: 'astral-sh/uv' };
    const image = labelledImage();
    const registry = createRegistry(here.host);
    await registry.push(repo, image.root, image.source);
    await registry.moveTag({ ...repo, tag: '0.12.7' }, image.root.digest);
    edit(here, /(astral-sh\/uv\n {4}version: 0\.12\.7\n {4}digest: )\S+/, `$1${image.root.digest}`);
    const mirrors = { ...here.mirrors, images: { ...here.mirrors.images, 'ghcr.io': proxy.host } };
    const run = async () => {
      proxy.log.length = 0;
      const { code, stdout, stderr } = await command({ root: here.root, mirrors }, ['bump', 'uv', '--dry-run']);
      expect([code, stdout], stderr).toEqual([0, expect.stringMatching(/^uv +0\.12\.7 +- +current/m)]);
      return [...proxy.log].sort();
    };
    const head = 'HEAD /v2/astral-sh/uv/manifests/0.12.7';
    expect(await run()).toEqual(['GET /v2/astral-sh/uv/tags/list', head]);
    expect(await run()).toEqual([head]);
  });

  it('npm’s own lookup is one request', async () => {
    const seen: string[] = [];
    const http = createServer((request, response) => {
      seen.push(`${request.method ?? ''} ${request.url ?? ''}`);
      const { port } = http.address() as AddressInfo;
      const dist = { integrity: 'sha512-x', tarball: `http://127.0.0.1:${port}/thing-1.0.0.tgz` };
      const versions = { '1.0.0': { name: 'thing', version: '1.0.0', dist } };
      const packument = { name: 'thing', 'dist-tags': { latest: '1.0.0' }, time: {}, versions };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(packument));
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const cache = mkdtempSync(join(tmpdir(), 'bump-npm-'));
    onTestFinished(async () => {
      rmSync(cache, { recursive: true, force: true });
      await new Promise((resolve) => http.close(resolve));
    });
    const registry = `http://127.0.0.1:${(http.address() as AddressInfo).port}/`;
    const args = ['view', 'thing@1.0.0', 'versions', 'time', 'dist.integrity', '--json', '--no-update-notifier'];
    const stdout = await new Promise<string>((resolve) => {
      const options = { env: { ...process.env, npm_config_cache: cache, npm_config_registry: registry } };
      execFile('npm', args, options, (_error, text) => {
        resolve(text);
      });
    });
    expect(JSON.parse(stdout)).toMatchObject({ 'dist.integrity': 'sha512-x' });
    expect(seen).toEqual(['GET /thing']);
  });
});
