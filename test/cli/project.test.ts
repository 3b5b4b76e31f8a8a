import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findProject } from '../../scripts/project.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'project-'));
  await mkdir(join(folder, 'outer/inner/deep/images/pins.yaml'), { recursive: true });
  for (const project of ['outer', 'outer/inner']) {
    await mkdir(join(folder, project, 'images'), { recursive: true });
    await writeFile(join(folder, project, 'images/pins.yaml'), '');
  }
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

test('the project is the closest folder with images/pins.yaml, from the working directory upwards', () => {
  expect(findProject(join(folder, 'outer/inner/deep/images'))).toBe(join(folder, 'outer/inner'));
  expect(findProject(join(folder, 'outer/inner'))).toBe(join(folder, 'outer/inner'));
  expect(findProject(join(folder, 'outer/images'))).toBe(join(folder, 'outer'));
});

test('there is none where no folder above has that file', () => {
  expect(findProject(folder)).toBeUndefined();
});
