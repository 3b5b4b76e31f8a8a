import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Picture } from '../../src/core/index.ts';
import { inventory } from '../../src/sbom/index.ts';
import { pictureOf } from '../support/picture.ts';

const run = promisify(execFile);
const database = '/usr/lib/sysimage/rpm/rpmdb.sqlite';
let directory: string;

interface Spec {
  readonly name: string;
  readonly lines: readonly string[];
}

/** Real packages, made by rpmbuild: with and without epoch, vendor and architecture; one name in two versions. */
const specs: readonly Spec[] = [
  { name: 'plain', lines: ['Version: 1.2.3', 'Release: 4.el10', 'License: MIT', 'Vendor: Red Hat, Inc.'] },
  { name: 'with-epoch', lines: ['Epoch: 2', 'Version: 9.8', 'Release: 1', 'License: GPL-2.0-or-later AND MIT'] },
  { name: 'kernel', lines: ['Version: 6.12.0', 'Release: 55.el10', 'License: GPL-2.0-only', 'Vendor: Fedora Project'] },
  { name: 'kernel', lines: ['Version: 6.12.0', 'Release: 57.el10', 'License: GPL-2.0-only', 'Vendor: Fedora Project'] },
  { name: 'tilde', lines: ['Version: 2.0~rc1', 'Release: 1^git1', 'License: Apache-2.0'] },
];

async function install(): Promise<void> {
  const topdir = join(directory, 'build');
  await mkdir(topdir);
  for (const [at, { name, lines }] of specs.entries()) {
    const file = join(topdir, `${name}-${at}.spec`);
    const body = [`Name: ${name}`, ...lines, 'Summary: a package of a test', 'BuildArch: noarch'];
    await writeFile(file, [...body, '%description', 'Made by a test.', '%files', ''].join('\n'));
    await run('rpmbuild', ['-bb', '--quiet', '--define', `_topdir ${topdir}`, file]);
  }
  const made = (await run('find', [topdir, '-name', '*.rpm'])).stdout.trim().split('\n');
  const dbpath = join(directory, 'db');
  await mkdir(dbpath);
  const how = ['--dbpath', dbpath, '--define', '_db_backend sqlite', '--justdb', '--nodeps', '--oldpackage'];
  await run('rpm', ['-i', ...how, ...made]);
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rpm-'));
  await install();
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** An image with this database; `log` bytes lie in its write-ahead log. */
async function imageWith(log = 0): Promise<Picture> {
  const content = await readFile(join(directory, 'db', 'rpmdb.sqlite'));
  const paths = { [database]: { layer: 0, size: content.length }, [`${database}-wal`]: { layer: 0, size: log } };
  return { ...pictureOf({ layers: ['FROM base'], paths }), contents: new Map([[database, content]]) };
}

/** What rpm itself says of its database; `(none)` is how it writes that there is nothing. */
async function byRpm(): Promise<string[]> {
  const format = '%{NAME} %{EPOCH} %{VERSION}-%{RELEASE} %{ARCH} %{SOURCERPM} %{LICENSE}\\n';
  const args = ['-qa', '--dbpath', join(directory, 'db'), '--define', '_db_backend sqlite', '--qf', format];
  return (await run('rpm', args)).stdout.trim().split('\n').sort();
}

test('the packages of a database that rpm wrote are those that `rpm -qa` lists, to the field', async () => {
  const found = inventory(await imageWith());
  const ours = found.map(({ purl, name, version, license }) => {
    const qualifiers = new URLSearchParams(purl.split('?')[1]);
    const get = (key: string): string => qualifiers.get(key) ?? '(none)';
    return [name, get('epoch'), version, get('arch'), get('upstream'), license ?? '(none)'].join(' ');
  });
  expect(ours.sort()).toEqual(await byRpm());
  expect(ours).toHaveLength(specs.length);
});

test('the vendor becomes the namespace, as the purl specification has it', async () => {
  const found = inventory(await imageWith());
  expect(found.find(({ name }) => name === 'plain')?.purl).toMatch(/^pkg:rpm\/redhat\/plain@1\.2\.3-4\.el10\?/);
  expect(found.find(({ name }) => name === 'kernel')?.purl).toMatch(/^pkg:rpm\/fedora-project\/kernel@/);
});

test('a database whose log was not written back is refused: the list would lack packages', async () => {
  const unfinished = await imageWith(4096);
  expect(() => inventory(unfinished)).toThrow(expect.objectContaining({ code: 'sbom/rpmdb' }));
});
