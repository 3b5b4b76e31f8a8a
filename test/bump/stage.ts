import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach } from 'vitest';
import { digestOf, hexOf, type Mirrors } from '../../src/core/index.ts';
import { bump, type BumpOptions, type BumpResult } from '../../src/flows/bump/index.ts';
import { generate } from '../../src/flows/generate.ts';
import { createHost } from '../../src/host/index.ts';
import type { Verdict } from '../../src/pins/bump/index.ts';
import { root as project } from '../dockerfile/definitions.ts';
import { fakeHost, type FakeHost } from '../support/fake-host.ts';
import { startMemoryRegistry, type Fault, type MemoryRegistry } from '../support/registries/memory-registry.ts';
import { startGitHub, type GitHub, type UpstreamRelease } from '../support/upstream/github.ts';
import { publishIndex } from '../support/upstream/images.ts';
import { NpmStub } from '../support/upstream/npm.ts';
import { commitFiles, git, newRepository } from '../support/upstream/repository.ts';

export const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

export const runnerPath = 'components/runners/ambient-runner';
export const now = new Date('2026-11-22T12:00:00Z');

/** ghRelease gives a release as GitHub CLI publishes it, with its checksum file. */
export function ghRelease(version: string, change: Partial<UpstreamRelease> = {}, bytes = version): UpstreamRelease {
  const assets: Record<string, string> = {};
  for (const arch of ['amd64', 'arm64']) assets[`gh_${version}_linux_${arch}.tar.gz`] = `gh ${bytes} ${arch}`;
  const lines = Object.entries(assets).map(([name, text]) => `${hexOf(digestOf(text))}  ${name}\n`);
  assets[`gh_${version}_checksums.txt`] = lines.join('');
  return { tag: `v${version}`, published: '2026-10-01T00:00:00Z', assets, ...change };
}

export interface Stage {
  readonly root: string;
  readonly host: FakeHost;
  readonly registry: MemoryRegistry;
  readonly github: GitHub;
  readonly npm: NpmStub;
  readonly upstreamRepository: string;
  readonly mirrors: Mirrors;
  /** From now on the registry misbehaves. */
  readonly misbehave: (fault: Fault) => void;
  readonly bump: (targets?: readonly string[], options?: Partial<BumpOptions>) => Promise<BumpResult>;
  /** The one verdict about one pin, without writing. */
  readonly verdict: (pin: string, options?: Partial<BumpOptions>) => Promise<Verdict>;
  readonly text: (path: string) => string;
  readonly status: () => string;
  readonly commit: (message?: string) => void;
}

function setPin(text: string, name: string, values: Readonly<Record<string, string>>): string {
  const start = text.indexOf(`\n  ${name}:\n`);
  const next = /\n {2}[a-z]/g;
  next.lastIndex = start + 2;
  const end = next.exec(text)?.index ?? text.length;
  let entry = text.slice(start, end);
  for (const [key, value] of Object.entries(values))
    entry = entry.replace(new RegExp(`(\\n    ${key}: ).*`), `$1${value}`);
  return text.slice(0, start) + entry + text.slice(end);
}

/** edit changes images/pins.yaml as a person or a bot does: one place, nothing else. */
export function edit(here: Stage, from: RegExp, to: string): void {
  const path = join(here.root, 'images/pins.yaml');
  const before = readFileSync(path, 'utf8');
  const after = before.replace(from, to);
  if (after === before) throw new Error(`pins.yaml has no ${String(from)}`);
  writeFileSync(path, after);
}

/** template is made once per file: the project with pins that say what the small upstream serves, committed. */
let made: Promise<string> | undefined;
const template = (): Promise<string> => (made ??= makeTemplate());
afterAll(async () => {
  if (made !== undefined) rmSync(await made, { recursive: true, force: true });
});

function serve(registry: MemoryRegistry, github: GitHub) {
  github.releases.set('cli/cli', [ghRelease('2.74.0')]);
  return {
    ubi: publishIndex(registry, 'ubi10/ubi', '10', 'ubi june'),
    uv: publishIndex(registry, 'astral-sh/uv', '0.12.7'),
    supervisor: publishIndex(registry, 'nvidia/openshell/supervisor', '0.0.83'),
  };
}

async function makeTemplate(): Promise<string> {
  const base = mkdtempSync(join(tmpdir(), 'bump-template-'));
  const root = join(base, 'project');
  mkdirSync(root);
  for (const part of ['images', 'checksums', 'package.json', '.gitignore'])
    cpSync(join(project, part), join(root, part), { recursive: true });
  const upstream = join(base, 'upstream/agent-control-plane');
  newRepository(upstream);
  const commit = commitFiles(upstream, { [`${runnerPath}/main.py`]: 'one\n', 'README.md': 'x\n' }, '2026-07-20');
  const tree = git(upstream, ['rev-parse', `HEAD:${runnerPath}`]);
  const digest = digestOf(`${hexOf(digestOf('one\n'))}  ./main.py\n`);
  const [registry, github] = [await startMemoryRegistry(), await startGitHub()];
  const { ubi, uv, supervisor } = serve(registry, github);
  await Promise.all([registry.close(), github.close()]);
  writeFileSync(join(root, 'checksums/gh/2.74.0.sha256'), ghRelease('2.74.0').assets['gh_2.74.0_checksums.txt'] ?? '');
  const file = join(root, 'images/pins.yaml');
  let text = readFileSync(file, 'utf8');
  text = setPin(text, 'ubi10', { digest: ubi.digest });
  text = setPin(text, 'uv', { digest: uv.digest });
  text = setPin(text, 'supervisor', { digest: supervisor.digest });
  text = setPin(text, 'runner', { commit, tree, digest });
  writeFileSync(file, text);
  await generate(fakeHost({ now }), { root, check: false });
  newRepository(root);
  git(root, ['add', '--all']);
  git(root, ['commit', '--quiet', '-m', 'start'], { GIT_COMMITTER_DATE: '2026-11-01T00:00:00Z' });
  return base;
}

/**
 * stage is the project as it is, with pins that say what a small upstream in this process serves:
 * nothing is due until a test moves the upstream on.
 */
export async function stage(options: { readonly omit?: readonly string[] } = {}): Promise<Stage> {
  const base = mkdtempSync(join(tmpdir(), 'bump-test-'));
  closers.push(() => {
    rmSync(base, { recursive: true, force: true });
  });
  cpSync(await template(), base, { recursive: true });
  const root = join(base, 'project');
  const upstreamRepository = join(base, 'upstream/agent-control-plane');
  let fault: Fault = () => false;
  const registry = await startMemoryRegistry({ ...options, fault: (...given) => fault(...given) });
  const github = await startGitHub();
  closers.push(
    () => registry.close(),
    () => github.close(),
  );
  serve(registry, github);
  const npm = new NpmStub();
  const text = readFileSync(join(root, 'images/pins.yaml'), 'utf8');
  for (const [, name = '', version = '', integrity = ''] of text.matchAll(
    /package: '([^']+)'\n {4}version: (\S+)\n {4}lock: \S+\n {4}integrity: (\S+)/g,
  ))
    npm.packages.set(name, {
      versions: new Map([[version, { time: '2026-09-01T00:00:00Z', integrity }]]),
      latest: version,
    });
  const real = createHost({ quiet: true });
  const host = fakeHost({
    now,
    exec: async (command, args, given = {}) =>
      command === 'npm' ? npm.run(args, given) : real.exec(command, args, given),
  });
  const mirrors: Mirrors = {
    images: { 'ghcr.io': registry.host, 'registry.access.redhat.com': registry.host },
    urls: { ...github.urls, 'https://github.com/openshift-online/': `file://${join(base, 'upstream')}/` },
  };
  const run = (targets: readonly string[] = [], given: Partial<BumpOptions> = {}): Promise<BumpResult> =>
    bump(host, { root, targets, dryRun: false, downgrade: false, now: false, mirrors, ...given });
  return {
    root,
    host,
    registry,
    github,
    npm,
    upstreamRepository,
    mirrors,
    misbehave: (given) => void (fault = given),
    bump: run,
    async verdict(pin, given = {}) {
      const { rows } = await run([pin], { dryRun: true, ...given });
      const verdict = rows[0]?.verdict;
      if (verdict === undefined) throw new Error(`no verdict about ${pin}`);
      return verdict;
    },
    text: (path) => readFileSync(join(root, path), 'utf8'),
    status: () => git(root, ['status', '--porcelain']),
    commit(message = 'next') {
      git(root, ['add', '--all']);
      git(root, ['commit', '--quiet', '-m', message]);
    },
  };
}
