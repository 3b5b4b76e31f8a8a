import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { extract, type Header } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf, type ContextFile } from '../../src/core/index.ts';
import { contextSource, type ContextSource } from '../../src/engines/index.ts';
import { AppErrors } from '../../src/errors/index.ts';
import { fakeHost } from '../support/fake-host.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'context-'));
  await mkdir(join(root, 'rootfs/etc'), { recursive: true });
  await writeFile(join(root, 'rootfs/etc/a.conf'), 'alpha\n', { mode: 0o600 });
  await writeFile(join(root, 'rootfs/run.sh'), '#!/bin/sh\n');
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

const a: ContextFile = { path: 'etc/a.conf', source: 'rootfs/etc/a.conf', mode: 0o644, digest: digestOf('alpha\n') };
const run: ContextFile = { path: 'run.sh', source: 'rootfs/run.sh', mode: 0o755, digest: digestOf('#!/bin/sh\n') };
const host = fakeHost();

async function bytesOf(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function entriesOf(tar: Buffer): Promise<{ header: Header; content: string }[]> {
  const entries: { header: Header; content: string }[] = [];
  const reader = extract();
  reader.end(tar);
  for await (const entry of reader) {
    let content = '';
    for await (const chunk of entry) content += (chunk as Buffer).toString();
    entries.push({ header: entry.header, content });
  }
  return entries;
}

const source = (files: readonly ContextFile[]): ContextSource => ({ root, files, dockerfile: 'FROM scratch\n' });

describe('when the context is made', () => {
  test('it is the same to the byte, however the files are ordered and whenever they were written', async () => {
    const first = digestOf(await bytesOf((await contextSource(host, source([a, run])))()));
    await rm(join(root, 'rootfs/run.sh'));
    await writeFile(join(root, 'rootfs/run.sh'), '#!/bin/sh\n', { mode: 0o777 });
    const make = await contextSource(host, source([run, a]));
    expect(digestOf(await bytesOf(make()))).toBe(first);
    expect(digestOf(await bytesOf(make()))).toBe(first);
  });

  test('it holds what was named and nothing else, sorted, with parents, root’s, at a fixed time', async () => {
    await writeFile(join(root, 'rootfs/secret'), 'not for the image');
    const tar = await bytesOf((await contextSource(host, { ...source([run, a]), extraCa: Buffer.from('PEM') }))());
    const entries = await entriesOf(tar);
    expect(entries.map(({ header }) => [header.name, header.mode.toString(8), header.uid, header.gid])).toEqual([
      ['Dockerfile', '644', 0, 0],
      ['build-ca/', '755', 0, 0],
      ['build-ca/extra.pem', '644', 0, 0],
      ['etc/', '755', 0, 0],
      ['etc/a.conf', '644', 0, 0],
      ['run.sh', '755', 0, 0],
    ]);
    expect(entries.every(({ header }) => header.mtime.getTime() === 0)).toBe(true);
    expect(entries.map(({ content }) => content)).toEqual(['FROM scratch\n', '', 'PEM', '', 'alpha\n', '#!/bin/sh\n']);
  });

  test('without an extra CA its directory is there and empty, for Dockerfiles mount it', async () => {
    const entries = await entriesOf(await bytesOf((await contextSource(host, source([])))()));
    expect(entries.map(({ header }) => header.name)).toEqual(['Dockerfile', 'build-ca/']);
  });
});

describe('when a context file is not what the plan says', () => {
  test('missing and symlinked files and parents are reported together', async () => {
    await symlink('etc', join(root, 'rootfs/link'));
    await symlink('run.sh', join(root, 'rootfs/alias.sh'));
    const files = [
      { ...run, path: 'gone', source: 'rootfs/gone' },
      { ...run, path: 'alias', source: 'rootfs/alias.sh' },
      { ...a, path: 'through', source: 'rootfs/link/a.conf' },
      { ...run, path: '../escape' },
    ];
    const error = await contextSource(host, source(files)).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(AppErrors);
    expect((error as AppErrors).errors.map(({ code }) => code)).toEqual([
      'engines/context-missing',
      'engines/context-symlink',
      'engines/context-symlink',
      'engines/context-path',
    ]);
  });

  test('two files at one path are refused', async () => {
    await expect(contextSource(host, source([a, { ...run, path: 'etc/a.conf' }]))).rejects.toMatchObject({
      code: 'engines/context-duplicate',
    });
  });

  test.each([
    ['same length', 'ALPHA\n'],
    ['longer', 'alpha and more\n'],
    ['shorter', 'a\n'],
  ])('content that changed under our feet (%s) ends the stream with an error', async (_name, content) => {
    const make = await contextSource(host, source([a]));
    await writeFile(join(root, 'rootfs/etc/a.conf'), content);
    await expect(bytesOf(make())).rejects.toMatchObject({ code: 'engines/context-changed', exit: 2 });
  });
});
