import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { withTransaction } from '../../src/flows/bump/transaction.ts';
import { fakeHost } from '../support/fake-host.ts';

const project = join(import.meta.dirname, '../..');
let bundle = '';
let root = '';

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'killed-'));
  bundle = join(folder, 'killed.mjs');
  // Packages stay outside of the bundle and are found beside it.
  symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'));
  await build({
    entryPoints: [join(import.meta.dirname, 'killed.ts')],
    outfile: bundle,
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    logLevel: 'error',
  });
});
afterAll(() => {
  rmSync(dirname(bundle), { recursive: true });
});
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'transaction-'));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

const old: Record<string, string> = {
  'images/pins.yaml': 'old pins',
  'checksums/gh/1.sha256': 'old sums',
  'images/a/Dockerfile': 'old',
};
const changes: [string, string | null][] = [
  ['images/pins.yaml', 'new pins'],
  ['checksums/gh/1.sha256', null],
  ['checksums/other/2.sha256', 'new sums'],
  ['images/a/Dockerfile', 'new'],
];

function lay(): void {
  rmSync(root, { recursive: true, force: true });
  for (const [path, text] of Object.entries(old)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

function state(): Record<string, string> {
  const found: Record<string, string> = {};
  const walk = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) walk(path);
      else found[path] = readFileSync(join(root, path), 'utf8');
    }
  };
  walk('');
  return found;
}

const fresh = { 'images/pins.yaml': 'new pins', 'checksums/other/2.sha256': 'new sums', 'images/a/Dockerfile': 'new' };
const run = (step: number, when: string) =>
  spawnSync(process.execPath, [bundle, root, String(step), when, JSON.stringify(changes)], { encoding: 'utf8' });
const write = (list = changes) =>
  withTransaction(fakeHost(), root, (commit) => commit(new Map(list.map(([path, text]) => [path, text ?? undefined]))));

// Dozens of processes are started and killed; on a busy machine each takes a second.
describe('a transaction', { timeout: 180_000 }, () => {
  it.each(['before', 'after'])(
    'killed with SIGKILL %s any step is all old or all new after the next run',
    async (when) => {
      lay();
      const whole = run(0, when);
      expect([whole.status, whole.stderr]).toEqual([0, '']);
      expect(state()).toEqual(fresh);
      const steps = Number(whole.stdout);
      expect(steps).toBeGreaterThan(10);
      const outcomes: string[] = [];
      for (let step = 1; step <= steps; step += 1) {
        lay();
        expect(run(step, when).signal).toBe('SIGKILL');
        // The next run, with nothing of its own to write, recovers.
        await write([]);
        const found = state();
        outcomes.push('checksums/other/2.sha256' in found ? 'new' : 'old');
        expect(found).toEqual(outcomes.at(-1) === 'new' ? fresh : old);
      }
      // Once decided, it stays decided: never old again after the first new.
      expect(outcomes).toEqual([...outcomes].sort().reverse());
      expect(new Set(outcomes)).toEqual(new Set(['old', 'new']));
    },
  );

  it('a file that was edited after the kill is not overwritten, and both sides are named', async () => {
    lay();
    const steps = Number(run(0, 'before').stdout);
    for (let step = 1; step <= steps; step += 1) {
      lay();
      run(step, 'before');
      if (!existsSync(join(root, '.bump/journal.json'))) continue;
      writeFileSync(join(root, 'images/pins.yaml'), 'mine');
      await expect(write([])).rejects.toMatchObject({
        code: 'bump/changed-meanwhile',
        facts: { where: { file: 'images/pins.yaml' } },
      });
      expect(readFileSync(join(root, 'images/pins.yaml'), 'utf8')).toBe('mine');
      return;
    }
    throw new Error('no step left a journal');
  });
});
