import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { AppError } from '../src/errors/index.ts';

/** The folder of this package, whether it runs from its sources or as lib/runner-image.cjs. */
export const packageRoot = resolve(import.meta.dirname, '..');

const mark = 'images/pins.yaml';

/** findProject returns the closest folder that has images/pins.yaml, from `start` upwards; undefined where none has. */
export function findProject(start: string): string | undefined {
  for (let folder = resolve(start); ; folder = dirname(folder)) {
    if (statSync(join(folder, mark), { throwIfNoEntry: false })?.isFile() === true) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}

/** noProject is the error of a command that needs a project, where `start` lies in none. */
export function noProject(start: string): AppError {
  return new AppError('cli/no-project', 'usage', 'this command works on a project, and there is none here', {
    expected: `${mark} in the working directory or in a folder above it`,
    found: `none from ${start} upwards`,
    hint: 'change into the project, or name it: --root DIR',
  });
}
