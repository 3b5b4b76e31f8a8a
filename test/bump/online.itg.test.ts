import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startGitServer } from '../support/upstream/git-http.ts';
import { bothPythons, pythonList, pythonsPath } from '../support/upstream/pythons.ts';
import { commitFiles, git, newRepository } from '../support/upstream/repository.ts';
import { command } from './command.ts';
import { edit, stage, type Stage } from './stage.ts';

/** npm as a pin asks it, with what the pins say: the real one would ask the real registry. */
const npm = `#!/usr/bin/env node
const known = JSON.parse(require('node:fs').readFileSync(process.env.NPM_KNOWN, 'utf8'));
const [, , , what] = process.argv;
if (known[what] === undefined) { console.error('npm error code E404'); process.exit(1); }
console.log(JSON.stringify({ versions: [what.slice(what.lastIndexOf('@') + 1)], 'dist.integrity': known[what] }));
`;

function npmOfPins(it: Stage, folder: string): NodeJS.ProcessEnv {
  const text = it.text('images/pins.yaml');
  const all = text.matchAll(/package: '([^']+)'\n {4}version: (\S+)\n {4}lock: \S+\n {4}integrity: (\S+)/g);
  const known = Object.fromEntries([...all].map(([, name = '', version = '', sum]) => [`${name}@${version}`, sum]));
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'npm'), npm);
  chmodSync(join(bin, 'npm'), 0o755);
  writeFileSync(join(folder, 'npm.json'), JSON.stringify(known));
  return { PATH: `${bin}:${process.env['PATH'] ?? ''}`, NPM_KNOWN: join(folder, 'npm.json') };
}

/** Every action's repository, with the pinned version's tag on a commit that the pin then names. */
function actionsOfPins(it: Stage, folder: string): void {
  const all = it.text('images/pins.yaml').matchAll(/kind: action\n {4}repository: (\S+)\n {4}version: (\S+)/g);
  for (const [, repository = '', version = ''] of [...all]) {
    const directory = join(folder, repository);
    newRepository(directory);
    const commit = commitFiles(directory, { 'action.yml': repository }, '2026-01-01');
    git(directory, ['tag', `v${version}`]);
    edit(it, new RegExp(`(repository: ${repository}\\n {4}version: \\S+\\n {4}commit: )\\S+`), `$1${commit}`);
  }
}

async function everything() {
  const it = await stage();
  it.github.raw.set(pythonsPath, pythonList(...bothPythons(3, '20260203')));
  const folder = mkdtempSync(join(tmpdir(), 'bump-online-'));
  const server = await startGitServer(folder);
  onTestFinished(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  actionsOfPins(it, folder);
  const env = npmOfPins(it, folder);
  const urls = { ...it.mirrors.urls };
  for (const owner of ['actions', 'github'])
    Object.assign(urls, { [`https://github.com/${owner}/`]: `${server.origin}${owner}/` });
  const here = { root: it.root, mirrors: { ...it.mirrors, urls } };
  return { it, verify: () => command(here, ['pins', 'verify', '--online'], undefined, env) };
}

describe('runner-image pins verify --online', { timeout: 120_000 }, () => {
  it('is green when every pin is there, 1 when one is gone or another, 3 when one could not be told', async () => {
    const { it, verify } = await everything();
    const good = await verify();
    expect([good.code, good.stderr]).toEqual([0, expect.stringContaining(': 0 errors')]);
    const answers = new Set(good.stdout.split('\n').map((line) => line.split('  ')[0]));
    expect([...answers].filter((answer) => !['', 'there', 'not-asked', 'note'].includes(answer ?? ''))).toEqual([]);

    it.registry.store.repository('astral-sh/uv').tags.clear();
    const gone = await verify();
    expect([gone.code, gone.stdout]).toEqual([1, expect.stringMatching(/^gone {2}uv$/m)]);
    expect(gone.stdout).toMatch(/^error {2}pins\/gone {2}uv: the tag .*its digest is still served/m);

    it.github.raw.clear();
    const untold = await verify();
    expect([untold.code, untold.stdout]).toEqual([3, expect.stringMatching(/^could-not-tell {2}python$/m)]);
  });
});
