import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

/** Files below a folder of the project, relative to the project. */
const below = (folder: string, end: RegExp): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => end.test(name) && !/(?:^|\/)node_modules\//.test(name))
    .map((name) => join(folder, name));

const pages = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...below('docs', /\.md$/),
  ...below('.github', /\.md$/),
];

/** The anchor that GitHub gives a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

const anchorsOf = (file: string): string[] =>
  [...read(file).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading));

test('links between pages lead to files and headings that exist', () => {
  const links = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)].map(([, to = '']) => ({ page, to })),
  );
  expect(links.length).toBeGreaterThan(40);
  const broken = links.filter(({ page, to }) => {
    const [path = '', anchor] = to.split('#');
    const file = path === '' ? page : relative(root, join(root, dirname(page), path));
    return !existsSync(join(root, file)) || (anchor !== undefined && !anchorsOf(file).includes(anchor));
  });
  expect(broken).toEqual([]);
});

test('pages that sources and pages name exist', () => {
  const sources = ['src', 'scripts', 'test', 'images', 'bin'].flatMap((folder) => below(folder, /\.(?:ts|mjs|ya?ml)$/));
  const named = [...pages, ...sources].flatMap((file) =>
    // Addresses of other projects have a path in front, and what a test makes up is not meant.
    [...read(file).matchAll(/(?<![\w/.-])docs\/[\w/-]+\.md(?![\w-])/g)].map(([page]) => ({ file, page })),
  );
  expect(named.length).toBeGreaterThan(10);
  const elsewhere = /^src\/sigstore\/certificate\.ts$/;
  expect(named.filter(({ file, page }) => !elsewhere.test(file) && !existsSync(join(root, page)))).toEqual([]);
});
