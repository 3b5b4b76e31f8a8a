import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const project = join(import.meta.dirname, '../..');

function run(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(project, 'bin/runner-image.mjs'), ...args], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

it('tells its version', async () => {
  const { version } = JSON.parse(await readFile(join(project, 'package.json'), 'utf8')) as { version: string };
  expect(run('--version')).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
});

it('without a command shows all of them, as wrong use', () => {
  const { status, stdout } = run();
  expect(status).toBe(2);
  expect(stdout).toMatch(/^ {2}publish {2,}gate, push by digest, tags last$/m);
});

it('says which commands there are when one is misspelt', () => {
  const { status, stdout, stderr } = run('pubish');
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toContain('unknown command "pubish"');
  expect(stderr).toContain('publish, sbom');
});
