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
  it('is refused while another one runs, and not once that one was killed', async () => {
    lay();
    await withTransaction(fakeHost(), root, async () => {
      await expect(write()).rejects.toMatchObject({ code: 'bump/locked', exit: 2 });
    });
    expect(state()).toEqual(old);
    run(2, 'after');
    expect(existsSync(join(root, '.bump/lock'))).toBe(true);
    await write();
    expect(state()).toEqual(fresh);
  });

  it('a write that fails leaves every file as it was', async () => {
    lay();
    const host = fakeHost();
    const failing = {
      ...host,
      files: {
        ...host.files,
        write: async (path: string, content: string | Uint8Array) => {
          if (path.endsWith('stage/2')) throw new Error('disk full');
          return host.files.write(path, content);
        },
      },
    };
    const list = new Map(changes.map(([path, text]) => [path, text ?? undefined]));
    await expect(withTransaction(failing, root, (commit) => commit(list))).rejects.toThrow('disk full');
    expect(state()).toEqual(old);
  });

  it('a link in the place of a file is refused', async () => {
    lay();
    rmSync(join(root, 'images/pins.yaml'));
    symlinkSync('/etc/hostname', join(root, 'images/pins.yaml'));
    await expect(write()).rejects.toMatchObject({ code: 'bump/no-file' });
  });
});
