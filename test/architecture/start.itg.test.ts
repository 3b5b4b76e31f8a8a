import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const project = join(import.meta.dirname, '../..');
const exec = promisify(execFile);

let root: string;

/** A source whose text is as long as that of any other word of the same length. */
const says = (word: string): string =>
  `export const word: string = '${word}';\nconsole.log(word, import.meta.dirname);\n`;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'start-'));
  await cp(join(project, 'bin'), join(root, 'bin'), { recursive: true });
  await symlink(join(project, 'node_modules'), join(root, 'node_modules'));
  for (const name of ['scripts', 'src']) await mkdir(join(root, name));
  await writeFile(join(root, 'package.json'), '{ "type": "module" }');
  await writeFile(join(root, 'scripts/runner-image.ts'), says('first'));
});

afterEach(async () => {
  await rm(root, { recursive: true });
});

async function start(...args: readonly string[]): Promise<string> {
  return (await exec(process.execPath, [join(root, 'bin/runner-image.mjs'), ...args])).stdout;
}

const compiled = async (): Promise<string[]> => await readdir(join(root, 'lib/compiled')).catch(() => []);

describe('the start of runner-image', () => {
  it('keeps what was compiled for each command, and nothing beside its name', async () => {
    expect(await start('build')).toBe(`first ${join(root, 'lib')}\n`);
    await start('../../escape');
    const names = (await compiled()).map((name) => name.split('-')[0]);
    expect(names.sort()).toEqual(['build', 'help']);
  });

  it('runs a changed source, even when bundle and compiled code are as long as before', async () => {
    await start('build');
    const before = (await readFile(join(root, 'lib/runner-image.cjs'))).length;
    await writeFile(join(root, 'scripts/runner-image.ts'), says('other'));
    expect(await start('build')).toContain('other');
    expect((await readFile(join(root, 'lib/runner-image.cjs'))).length).toBe(before);
    expect(await start('build')).toContain('other');
    expect(await compiled()).toHaveLength(1);
  });

  it('uses the bundle while no source is newer, and makes it anew when one that went into it is gone', async () => {
    await start();
    const marked = join(root, 'lib/runner-image.cjs');
    const old = new Date('2026-01-01');
    await utimes(marked, old, old);
    await utimes(join(root, 'scripts/runner-image.ts'), old, old);
    await utimes(join(root, 'bin/bundle.mjs'), old, old);
    const { ino } = await stat(marked);
    await start();
    expect((await stat(marked)).ino).toBe(ino);
    await rm(join(root, 'scripts/runner-image.ts'));
    await expect(start()).rejects.toThrow('Could not resolve');
  });

  it('compiles again when the kept code is cut short', async () => {
    await start('build');
    const [name = ''] = await compiled();
    const file = join(root, 'lib/compiled', name);
    const whole = await readFile(file);
    await writeFile(file, whole.subarray(0, whole.length / 2));
    expect(await start('build')).toContain('first');
    expect((await readFile(file)).length).toBeGreaterThan(whole.length / 2);
  });
});
