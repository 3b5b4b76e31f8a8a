import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { Transaction } from '../../src/flows/bump/transaction.ts';
import type { Host } from '../../src/host/index.ts';
import { fakeHost } from '../support/fake-host.ts';

const project = join(import.meta.dirname, '../..');
let bundle = '';
/** The project of the running test. */
export let root = '';

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

/** What lies there before: `lay` writes it. */
export const old: Record<string, string> = {
  'images/pins.yaml': 'old pins',
  'checksums/gh/1.sha256': 'old sums',
  'images/a/Dockerfile': 'old',
};
export const changes: [string, string | null][] = [
  ['images/pins.yaml', 'new pins'],
  ['checksums/gh/1.sha256', null],
  ['checksums/other/2.sha256', 'new sums'],
  ['images/a/Dockerfile', 'new'],
];

export function lay(): void {
  rmSync(root, { recursive: true, force: true });
  for (const [path, text] of Object.entries(old)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

/** Every file of the project with its text. */
export function state(): Record<string, string> {
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

/** What lies there after. */
export const fresh = {
  'images/pins.yaml': 'new pins',
  'checksums/other/2.sha256': 'new sums',
  'images/a/Dockerfile': 'new',
};
/** A process of its own that writes the changes and is killed at its n-th effect; 0: never. */
export const run = (step: number, when: string) =>
  spawnSync(process.execPath, [bundle, root, String(step), when, JSON.stringify(changes)], { encoding: 'utf8' });
/** transact writes changes as one transaction in this process. */
export async function transact(host: Host, folder: string, list: ReadonlyMap<string, string | undefined>) {
  const transaction = await Transaction.open(host, folder);
  try {
    await transaction.write(list);
  } finally {
    await transaction.close();
  }
}

/** write is the same transaction as `run`, in this process. */
export const write = (list = changes) =>
  transact(fakeHost(), root, new Map(list.map(([path, text]) => [path, text ?? undefined])));
