import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { lintDockerfile } from '../../src/lint/index.ts';

const root = join(import.meta.dirname, '../..');
const path = 'images/tool/Dockerfile';
const text = readFileSync(join(root, path), 'utf8');

test('the container file of the tool breaks no rule of its own', () => {
  expect(lintDockerfile(path, text)).toMatchObject({ findings: [], suppressed: [] });
});

test('its base is the one that images/pins.yaml pins', () => {
  const { pins } = parse(readFileSync(join(root, 'images/pins.yaml'), 'utf8')) as {
    readonly pins: {
      readonly ubi10: { readonly repository: string; readonly version: string; readonly digest: string };
    };
  };
  const { repository, version, digest } = pins.ubi10;
  const bases = [...text.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base);
  expect(bases).toEqual(Array(2).fill(`${repository}:${version}@${digest}`));
  expect(text).toContain(`image.base.digest="${digest}"`);
});

test('everything that it copies is there, and passes its .dockerignore', () => {
  const named = [...text.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, sources = '']) => sources.split(' '));
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((name) => !existsSync(join(root, name)))).toEqual([]);
  const passed = readFileSync(join(root, `${path}.dockerignore`), 'utf8').match(/(?<=^!).+$/gm) ?? [];
  expect(named.filter((name) => !passed.some((entry) => name === entry || name.startsWith(`${entry}/`)))).toEqual([]);
});
