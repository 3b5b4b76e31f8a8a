import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, test } from 'vitest';
import { bot } from '../../src/flows/ci/git.ts';
import { bumpGroup, propose } from '../../src/flows/ci/index.ts';
import { AppError } from '../../src/errors/index.ts';
import type { Host } from '../../src/host/index.ts';
import { ghRelease, stage, type Stage } from '../bump/stage.ts';
import { root as project } from '../dockerfile/definitions.ts';
import { readAll } from '../support/registries/memory-http.ts';
import { publishIndex } from '../support/upstream/images.ts';
import { bothPythons, pythonList, pythonsPath } from '../support/upstream/pythons.ts';
import { git } from '../support/upstream/repository.ts';
import { stepsOf, workflowFiles } from './files.ts';

interface Pull {
  number: number;
  state: string;
  title: string;
  body: string;
  head: string;
  base: string;
}

const sight = (seen: string, identity = 'sha256:1') => ({ seen, identity });

interface Hub {
  readonly pulls: Pull[];
  readonly log: string[];
  readonly env: Readonly<Record<string, string>>;
}

/** The part of GitHub's API that keeps pull requests. */
async function hub(): Promise<Hub> {
  const pulls: Pull[] = [];
  const log: string[] = [];
  const server: Server = createServer((request, response) => {
    void (async () => {
      const body = (await readAll(request)).toString();
      const sent = body === '' ? {} : (JSON.parse(body) as Partial<Pull>);
      const url = new URL(request.url ?? '/', 'http://x');
      log.push(`${request.method ?? ''} ${url.pathname}`);
      const head = url.searchParams.get('head') ?? '';
      const number = Number(/\/pulls\/(\d+)$/.exec(url.pathname)?.[1]);
      let answer: unknown = pulls.filter((pull) => pull.state === 'open' && `team:${pull.head}` === head);
      if (request.method === 'POST') {
        const pull = { number: pulls.length + 1, state: 'open', title: '', body: '', head: '', base: '', ...sent };
        pulls.push(pull);
        answer = pull;
      } else if (request.method === 'PATCH') {
        const pull = pulls.find((one) => one.number === number);
        answer = pull === undefined ? undefined : Object.assign(pull, sent);
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
  const api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { pulls, log, env: { GITHUB_API_URL: api, GITHUB_REPOSITORY: 'team/images', GITHUB_TOKEN: 'ghs_secret' } };
}

interface Place {
  readonly base: string;
  readonly origin: string;
  /** A checkout as a job gets it. */
  readonly checkout: () => string;
}

function place(it: Stage): Place {
  const base = mkdtempSync(join(tmpdir(), 'ci-propose-'));
  onTestFinished(() => {
    rmSync(base, { recursive: true, force: true });
  });
  const origin = join(base, 'origin.git');
  git(base, ['clone', '--quiet', '--bare', it.root, origin]);
  let jobs = 0;
  return {
    base,
    origin,
    checkout: () => {
      jobs += 1;
      const directory = join(base, `job-${jobs}`);
      git(base, ['clone', '--quiet', origin, directory]);
      return directory;
    },
  };
}

/** Both jobs of one group, each in a checkout of its own, as the workflow hands files from one to the other. */
async function week(it: Stage, at: Place, github: Hub, group: string) {
  const asking = at.checkout();
  const output = join(asking, 'run/bump');
  const host: Host = { ...it.host, env: github.env };
  const { record } = await bumpGroup(host, { root: asking, group, mirrors: it.mirrors, output });
  const root = at.checkout();
  cpSync(output, join(root, 'run/bump'), { recursive: true });
  const from = join(root, 'run/bump');
  git(asking, ['add', '--all', 'images', 'checksums']);
  return { record, from, root, asking, propose: () => propose(host, { root, group, from, base: 'main' }) };
}

const branch = (at: Place, name: string, path: string) => git(at.origin, ['show', `${name}:${path}`]);

describe('one pull request for each group', { timeout: 120_000 }, () => {
  it('is opened with its table as body, left alone, brought up to date in place, and closed', async () => {
    const it = await stage();
    const [at, github] = [place(it), await hub()];
    const gh = (version: string) => it.github.releases.get('cli/cli')?.unshift(ghRelease(version));
    it.github.raw.set(pythonsPath, pythonList(...bothPythons(3, '20260203')));
    gh('2.80.0');
    expect(await (await week(it, at, github, 'tools')).propose()).toEqual({ $case: 'opened', number: 1 });
    expect(github.pulls).toMatchObject([{ title: 'Bump gh 2.80.0', head: 'bump/tools', base: 'main' }]);
    expect(github.pulls[0]?.body).toContain('| gh | release | 2.74.0 | 2.80.0 |');
    expect(branch(at, 'bump/tools', 'checksums/gh/2.80.0.sha256')).toContain('gh_2.80.0_linux_arm64.tar.gz');
    expect(git(at.origin, ['rev-list', '--count', 'main..bump/tools'])).toBe('1');
    const first = git(at.origin, ['rev-parse', 'bump/tools']);

    expect(await (await week(it, at, github, 'tools')).propose()).toEqual({ $case: 'unchanged', number: 1 });
    expect(git(at.origin, ['rev-parse', 'bump/tools'])).toBe(first);

    gh('2.81.0');
    expect(await (await week(it, at, github, 'tools')).propose()).toEqual({ $case: 'updated', number: 1 });
    expect(github.pulls).toMatchObject([{ title: 'Bump gh 2.81.0' }]);
    expect(git(at.origin, ['rev-list', '--count', 'main..bump/tools'])).toBe('1');

    git(at.origin, ['update-ref', 'refs/heads/main', 'refs/heads/bump/tools']);
    expect(await (await week(it, at, github, 'tools')).propose()).toEqual({ $case: 'closed', number: 1 });
    expect(await (await week(it, at, github, 'tools')).propose()).toEqual({ $case: 'nothing' });
    expect(JSON.stringify(github.pulls)).not.toContain('ghs_secret');
  });

  it('derives an agent’s lock, Dockerfiles and pins as the bump itself does', async () => {
    const it = await stage();
    const [at, github] = [place(it), await hub()];
    it.npm.packages.get('opencode-linux-arm64')?.versions.set('1.19.0', { time: '2026-10-01T00:00:00Z' });
    it.npm.packages.set('opencode-linux-x64-baseline', { versions: new Map([['1.19.0', {}]]) });
    const opencode = it.npm.packages.get('opencode-linux-arm64');
    if (opencode !== undefined) opencode.latest = '1.19.0';
    const made = await week(it, at, github, 'agents');
    expect(await made.propose()).toMatchObject({ $case: 'opened' });
    const files = git(at.origin, ['diff', '--name-only', 'main', 'bump/agents']).split('\n').filter(Boolean);
    expect(files).toContain('images/openshell/npm/opencode/package-lock.json');
    // The asking job wrote the same to its own checkout: byte for byte.
    for (const file of files)
      expect(branch(at, 'bump/agents', file), file).toBe(git(made.asking, ['show', `:./${file}`]));
  });

  it('keeps counting the cooldown from sights that are proposed and not merged', async () => {
    const it = await stage();
    const [at, github] = [place(it), await hub()];
    publishIndex(it.registry, 'astral-sh/uv', '0.12.8');
    expect(await (await week(it, at, github, 'images')).propose()).toMatchObject({ $case: 'opened' });
    expect(github.pulls).toMatchObject([{ title: 'Record first sights of images' }]);
    it.host.advance(7 * 86_400_000);
    expect(await (await week(it, at, github, 'images')).propose()).toEqual({ $case: 'updated', number: 1 });
    expect(github.pulls).toMatchObject([{ title: 'Bump uv 0.12.8' }]);
    expect(branch(at, 'bump/images', 'images/first-seen.yaml')).toContain("'0.12.8': { seen: 2026-11-22");
  });

  it('is not closed by an answer that is not one, and nothing is proposed on an alarm', async () => {
    const it = await stage();
    const [at, github] = [place(it), await hub()];
    it.github.releases.get('cli/cli')?.unshift(ghRelease('2.80.0'));
    await (await week(it, at, github, 'tools')).propose();
    it.github.releases.set('cli/cli', [ghRelease('2.80.0'), ghRelease('2.74.0', {}, 'evil')]);
    const alarmed = await week(it, at, github, 'tools');
    expect(alarmed.record.rows.map(({ answer }) => answer.$case)).toContain('alarm');
    expect(alarmed.record.sights).toEqual({});
    expect(await alarmed.propose()).toEqual({ $case: 'nothing' });
    expect(github.pulls).toMatchObject([{ state: 'open', title: 'Bump gh 2.80.0' }]);
  });

  it('leaves a branch alone on which somebody else worked', async () => {
    const it = await stage();
    const [at, github] = [place(it), await hub()];
    it.github.releases.get('cli/cli')?.unshift(ghRelease('2.80.0'));
    await (await week(it, at, github, 'tools')).propose();
    const person = at.checkout();
    git(person, ['checkout', '--quiet', 'bump/tools']);
    git(person, ['commit', '--quiet', '--allow-empty', '-m', 'mine']);
    git(person, ['push', '--quiet', 'origin', 'bump/tools']);
    it.github.releases.get('cli/cli')?.unshift(ghRelease('2.81.0'));
    const done = await (await week(it, at, github, 'tools')).propose();
    expect(done).toEqual({ $case: 'left-alone', author: 'upstream@example.com' });
    expect(git(at.origin, ['log', '-1', '--format=%s', 'bump/tools'])).toBe('mine');
  });

  it('refuses a branch of that name that holds somebody’s work and has no pull request, also below the bot’s own', async () => {
    const it = await stage();
    const [at, github] = [place(it), await hub()];
    it.github.releases.get('cli/cli')?.unshift(ghRelease('2.80.0'));
    const person = at.checkout();
    git(person, ['checkout', '--quiet', '-b', 'bump/tools']);
    git(person, ['commit', '--quiet', '--allow-empty', '-m', 'mine']);
    const asBot = [`user.name=${bot.name}`, `user.email=${bot.email}`].flatMap((value) => ['-c', value]);
    git(person, [...asBot, 'commit', '--quiet', '--allow-empty', '-m', 'on top']);
    git(person, ['push', '--quiet', 'origin', 'bump/tools']);
    const before = git(at.origin, ['rev-parse', 'bump/tools']);
    await expect((await week(it, at, github, 'tools')).propose()).rejects.toMatchObject({
      code: 'ci/branch-taken',
      exit: 1,
      facts: {
        found: 'commits of upstream@example.com',
        hint: expect.stringContaining('delete bump/tools') as unknown,
      },
    });
    expect([git(at.origin, ['rev-parse', 'bump/tools']), github.pulls]).toEqual([before, []]);
    // What only the bot wrote is its own to write anew, pull request or not.
    git(person, ['reset', '--quiet', '--hard', 'HEAD~2']);
    git(person, [...asBot, 'commit', '--quiet', '--allow-empty', '-m', 'of a closed pull request']);
    git(person, ['push', '--quiet', '--force', 'origin', 'bump/tools']);
    expect(await (await week(it, at, github, 'tools')).propose()).toEqual({ $case: 'opened', number: 1 });
    expect(git(at.origin, ['log', '-1', '--format=%s', 'bump/tools'])).toBe('Bump gh 2.80.0');
  });

  it('keeps the whole history of a checkout, which the date of the images is read from', async () => {
    const it = await stage();
    git(it.root, ['commit', '--quiet', '--allow-empty', '-m', 'one more']);
    const [at, github] = [place(it), await hub()];
    it.github.releases.get('cli/cli')?.unshift(ghRelease('2.80.0'));
    await (await week(it, at, github, 'tools')).propose();
    it.github.releases.get('cli/cli')?.unshift(ghRelease('2.81.0'));
    const { root, propose: again } = await week(it, at, github, 'tools');
    await again();
    expect(git(root, ['rev-parse', '--is-shallow-repository'])).toBe('false');
  });
});

describe('a record from the job that read the internet', { timeout: 120_000 }, () => {
  type Json = Record<string, unknown>;
  interface Spoilt extends Json {
    rows: { pin: string; held: unknown[]; answer: Json & { facts: Json & { assets: Json[] } } }[];
  }
  /** Runs both jobs, with the record spoilt on its way from one to the other; nothing may be pushed. */
  const spoilt = async (spoil: (record: Spoilt, folder: string) => unknown) => {
    const it = await stage();
    const [at, github] = [place(it), await hub()];
    it.github.releases.get('cli/cli')?.unshift(ghRelease('2.80.0'));
    const made = await week(it, at, github, 'tools');
    const file = join(made.from, 'bump.json');
    const record = JSON.parse(readFileSync(file, 'utf8')) as Spoilt;
    const text = spoil(record, made.from);
    writeFileSync(file, typeof text === 'string' ? text : JSON.stringify(record));
    const error: unknown = await made.propose().catch((caught: unknown) => caught);
    expect(git(at.origin, ['branch', '--list', 'bump/*'])).toBe('');
    expect(github.pulls).toEqual([]);
    expect(git(made.root, ['status', '--porcelain', '--untracked-files=no'])).toBe('');
    return error;
  };
  const gh = ({ rows }: Spoilt) => {
    const found = rows.find(({ pin }) => pin === 'gh');
    if (found === undefined) throw new Error('no gh');
    return found.answer;
  };

  const first = ({ rows }: Spoilt) => {
    const [row] = rows;
    if (row === undefined) throw new Error('no row');
    return row;
  };
  const asset = (record: Spoilt): Json => {
    const [one] = gh(record).facts.assets;
    if (one === undefined) throw new Error('no asset');
    return one;
  };

  test.each<[string, (record: Spoilt, folder: string) => unknown]>([
    ['a change of a workflow', (record) => (record['patch'] = '+++ b/.github/workflows/build.yml')],
    ['a list of files', (record) => (record['files'] = ['.github/workflows/build.yml'])],
    ['another group', (record) => (record['group'] = 'actions')],
    ['a pin of another group', (record) => (first(record).pin = 'uv')],
    ['a pin more', (record) => record.rows.push({ ...first(record), pin: 'checkout' })],
    ['a pin less', (record) => record.rows.pop()],
    ['a pin twice', (record) => record.rows.push(first(record))],
    ['facts of another kind', (record) => (gh(record).facts = { kind: 'python', version: '3.14.2' } as never)],
    ['a version that is a path', (record) => (gh(record).facts['version'] = '../../.github/workflows/x')],
    ['a version of two lines', (record) => (gh(record).facts['version'] = '2.80.0\n      - run: curl evil')],
    ['a version that ends a quote', (record) => (gh(record).facts['version'] = "2.80.0'")],
    ['an asset that is a path', (record) => (asset(record)['name'] = '../../../etc/passwd')],
    ['an asset of two lines', (record) => (asset(record)['name'] = 'gh\nsha256  other')],
    ['an asset more', (record) => gh(record).facts.assets.push(asset(record))],
    ['an older version', (record) => (gh(record).facts['version'] = '2.70.0')],
    ['a version that policy keeps out', (record) => (gh(record).facts['version'] = '3.0.0')],
    ['no evidence', (record) => (gh(record)['evidence'] = [])],
    ['evidence of two lines', (record) => (gh(record)['evidence'] = [{ kind: 'own-hash', source: 'x\n  y' }])],
    ['a link that is no page', (record) => (gh(record)['link'] = 'javascript:alert(1)')],
    ['first sights of another group', (record) => (record['sights'] = { uv: { '1.0.0': sight('2026-11-22') } })],
    ['a first sight of long ago', (record) => (record['sights'] = { gh: { '2.80.0': sight('2026-01-01') } })],
    [
      'a first sight that ends a quote',
      (record) => (record['sights'] = { gh: { '1.0.0': sight('2026-11-22', "x'") } }),
    ],
    ['another commit', (record) => (record['base'] = 'f'.repeat(40))],
    ['a form of before', (record) => (record['version'] = 1)],
    ['no JSON', () => '--- a/images/pins.yaml'],
    ['millions of characters', (record) => JSON.stringify(record).padEnd(33 * 1024 * 1024)],
  ])('is refused with %s: nothing is written or pushed', async (_name, spoil) => {
    const error = await spoilt(spoil);
    expect(error).toBeInstanceOf(AppError);
    expect((error as AppError).code).toMatch(/^(?:ci\/record|host\/too-large)$/);
    expect((error as AppError).exit).not.toBe(0);
  });

  test('is the one file that is read: what else lies beside it changes nothing', async () => {
    const it = await stage();
    const [at, github] = [place(it), await hub()];
    it.github.releases.get('cli/cli')?.unshift(ghRelease('2.80.0'));
    const made = await week(it, at, github, 'tools');
    cpSync(join(project, '.github'), join(made.from, '.github'), { recursive: true });
    writeFileSync(join(made.from, 'bump.patch'), 'diff --git a/.github/workflows/x.yml b/.github/workflows/x.yml\n');
    writeFileSync(join(made.from, 'body.md'), '@everyone closes #1');
    expect(await made.propose()).toEqual({ $case: 'opened', number: 1 });
    const files = git(at.origin, ['diff', '--name-only', 'main', 'bump/tools']).split('\n').filter(Boolean);
    const folders = new Set(files.map((file) => file.split('/').slice(0, 2).join('/')));
    for (const folder of folders) expect(folder).toMatch(/^(?:images|checksums)\//);
    expect(files.filter((file) => file.startsWith('checksums/'))).toEqual([
      'checksums/gh/2.74.0.sha256',
      'checksums/gh/2.80.0.sha256',
    ]);
    expect(github.pulls[0]?.body).not.toContain('@everyone');
  });

  test('does not take over a work tree that was changed before', async () => {
    const it = await stage();
    const [at, github] = [place(it), await hub()];
    it.github.releases.get('cli/cli')?.unshift(ghRelease('2.80.0'));
    const made = await week(it, at, github, 'tools');
    writeFileSync(join(made.root, 'staged'), 'x');
    git(made.root, ['add', 'staged']);
    await expect(made.propose()).rejects.toMatchObject({ code: 'ci/record' });
    expect(git(at.origin, ['branch', '--list', 'bump/*'])).toBe('');
  });
});

describe('bump.yml, as the workflow runs it', { timeout: 120_000 }, () => {
  it('lists the groups, bumps one, and proposes it, through the real command', async () => {
    const it = await stage();
    const [at, github] = [place(it), await hub()];
    it.github.raw.set(pythonsPath, pythonList(...bothPythons(3, '20260203')));
    it.github.releases.get('cli/cli')?.unshift(ghRelease('2.80.0', { published: '2025-10-01T00:00:00Z' }));
    const mirrors = join(at.base, 'mirrors.yaml');
    writeFileSync(mirrors, JSON.stringify(it.mirrors));
    const file = workflowFiles.find((one) => one.file.endsWith('/bump.yml'));
    const scripts = (file === undefined ? [] : stepsOf(file)).flatMap(({ run }) => run ?? []);
    const out = join(at.base, 'output');
    writeFileSync(out, '');
    const run = (script: string, cwd: string) =>
      new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
        const more = script.includes('ci bump') ? `--mirrors ${mirrors}` : '';
        const text = script.replace(
          /bin\/runner-image\.mjs (ci \w+)/,
          `${project}/bin/runner-image.mjs $1 --root ${cwd} ${more}`,
        );
        const env = {
          PATH: process.env['PATH'] ?? '',
          HOME: at.base,
          GROUP: 'tools',
          GITHUB_OUTPUT: out,
          ...github.env,
        };
        execFile('bash', ['-eo', 'pipefail', '-c', text], { cwd, env }, (error, stdout, stderr) => {
          resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 1, stdout, stderr });
        });
      });
    const [groups = '', bump = '', proposal = ''] = scripts;
    const asking = at.checkout();
    expect(await run(groups, asking)).toMatchObject({ code: 0 });
    expect(readFileSync(out, 'utf8')).toContain('groups=["images","tools","runner","agents","actions"]');
    const bumped = await run(bump, asking);
    expect(bumped, bumped.stderr).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^gh +2\.74\.0 +2\.80\.0/m) as unknown,
    });
    const root = at.checkout();
    cpSync(join(asking, 'run/bump'), join(root, 'run/bump'), { recursive: true });
    const proposed = await run(proposal, root);
    expect(proposed, proposed.stderr).toMatchObject({ code: 0, stdout: 'pull request #1 opened\n' });
    // Without an answer about a pin the job is red, whatever else it found.
    it.github.raw.clear();
    expect((await run(bump, at.checkout())).code).toBe(3);
  });
});
