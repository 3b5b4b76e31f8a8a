import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppErrors } from '../../src/errors/index.ts';
import { lintFiles } from '../../src/flows/lint.ts';
import type { Report } from '../../src/report/index.ts';
import { fakeHost } from '../support/fake-host.ts';

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'lint-'));
  await mkdir(join(root, 'images', 'a'), { recursive: true });
  await writeFile(join(root, 'images', 'a', 'Dockerfile.a'), `FROM x/y:1@sha256:${'a'.repeat(64)}\nRUN sudo true\n`);
  await writeFile(join(root, 'images', 'a', 'README.md'), 'no Dockerfile');
  await writeFile(join(root, 'binary'), Buffer.from([0x46, 0x52, 0x4f, 0x4d, 0x20, 0xff, 0xfe, 0x00]));
  await writeFile(join(root, 'nul'), 'FROM x\0');
  await writeFile(join(root, 'empty'), '');
  await writeFile(join(root, 'text'), 'RUN true\n');
  await writeFile(join(root, 'big'), '');
  await truncate(join(root, 'big'), 50 * 1024 * 1024);
});
afterAll(() => rm(root, { recursive: true, force: true }));

const lint = (...files: string[]): Promise<Report> =>
  lintFiles(fakeHost(), { files, root, directory: root, version: '1.0.0' });

describe('lint of files', () => {
  it('takes every Dockerfile below images/ when none is named', async () => {
    const report = await lint();
    expect(report.subjects).toEqual(['images/a/Dockerfile.a']);
    expect(report.findings.map(({ rule, location }) => ({ rule, location }))).toEqual([
      { rule: 'dockerfile/sudo', location: { $case: 'file', file: 'images/a/Dockerfile.a', line: 2, column: 5 } },
    ]);
  });

  it.each([
    ['missing', 'lint/missing'],
    ['images', 'lint/not-a-file'],
    ['big', 'lint/too-large'],
    ['binary', 'dockerfile/not-a-dockerfile'],
    ['nul', 'dockerfile/not-a-dockerfile'],
    ['empty', 'dockerfile/not-a-dockerfile'],
    ['text', 'dockerfile/not-a-dockerfile'],
  ])('refuses %s with one clear error', async (name, code) => {
    await expect(lint(name)).rejects.toMatchObject({ code, exit: 2, facts: { where: { file: name } } });
  });

  it('reads a comment in Latin-1, as engines do', async () => {
    await writeFile(
      join(root, 'latin'),
      Buffer.from(`# caf\xe9\nFROM x/y:1@sha256:${'a'.repeat(64)}\nRUN sudo true\n`, 'latin1'),
    );
    const { findings } = await lint('latin');
    expect(findings.map(({ rule, location }) => [rule, location])).toEqual([
      ['dockerfile/sudo', { $case: 'file', file: 'latin', line: 3, column: 5 }],
    ]);
  });

  it('reports every file that it cannot read at once', async () => {
    const error: unknown = await lint('missing', 'big', 'images/a/Dockerfile.a').catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(AppErrors);
    expect((error as AppErrors).errors.map(({ code }) => code)).toEqual(['lint/missing', 'lint/too-large']);
  });
});
