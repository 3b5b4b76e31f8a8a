import { cp, mkdtemp, readFile, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AppErrors } from '../../src/errors/index.ts';
import { generate } from '../../src/flows/generate.ts';
import { buildPlan } from '../../src/flows/plan.ts';
import { root as project } from '../dockerfile/definitions.ts';
import { codesOf } from '../support/codes.ts';
import { fakeHost } from '../support/fake-host.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'plan-'));
  for (const part of ['images', 'checksums', 'package.json', 'docs/rules.md'])
    await cp(join(project, part), join(root, part), { recursive: true });
});
afterEach(() => rm(root, { recursive: true }));

const head = 'a'.repeat(40);
/** A repository with one commit, as far as the plan asks. */
const host = (status = '', env: Record<string, string> = {}) =>
  fakeHost({
    env,
    run: async (_command, args) => {
      const stdout = args.includes('log') ? '1750000000' : `# branch.oid ${head}\n${status}`;
      return { exitCode: 0, stdout: `${stdout}\n`, stderr: '' };
    },
  });
const edit = async (file: string, from: string, to: string): Promise<void> => {
  const before = await readFile(join(root, file), 'utf8');
  if (!before.includes(from)) throw new Error(`${file} has no ${from}`);
  await writeFile(join(root, file), before.replace(from, to));
};
const plan = (given = host(), options = {}) => buildPlan(given, { root, variant: 'openshell-claude', ...options });
const codes = (work: Promise<unknown>): Promise<string[]> => work.then(() => [], codesOf);

describe('a plan', () => {
  it('holds what the build takes, from the repository as it is', async () => {
    const found = await plan();
    expect(found.buildArgs).toEqual({
      CREATED: '2025-06-15T15:06:40Z',
      GIT_COMMIT: head,
      INPUT_DIGEST: found.inputDigest,
      VERSION: '0.1.0',
    });
    expect(found.sourceDateEpoch).toBe(1750000000);
    expect(found.context.map(({ path }) => path)).toContain('policy/openshell-claude.yaml');
    expect(found.context.find(({ path }) => path === 'rootfs/usr/local/bin/claude')?.mode).toBe(0o755);
    expect(found.lab).toBe(false);
  });

  it('marks a changed working tree, and takes SOURCE_DATE_EPOCH over the commit', async () => {
    const found = await plan(
      host('1 .M N... 100644 100644 100644 1 2 images/pins.yaml', { SOURCE_DATE_EPOCH: '86400' }),
    );
    expect(found.buildArgs['GIT_COMMIT']).toBe(`${head}-dirty`);
    expect(found.buildArgs['CREATED']).toBe('1970-01-02T00:00:00Z');
    expect(await codes(plan(host('', { SOURCE_DATE_EPOCH: 'yesterday' })))).toEqual(['plan/source-date-epoch']);
    expect(await codes(plan(host('', { GIT_COMMIT: 'main' })))).toEqual(['plan/git-commit']);
  });

  it('keeps its input digest over another commit, date and mirror, and changes locations only', async () => {
    const first = await plan();
    const mirrors = { images: { 'registry.access.redhat.com': '127.0.0.1:5000' }, urls: {} };
    const second = await plan(host('? images/x', { SOURCE_DATE_EPOCH: '1' }), { mirrors });
    expect(second.inputDigest).toBe(first.inputDigest);
    expect(second.dockerfile.text).not.toBe(first.dockerfile.text);
    expect(second.base.reference).toBe(first.base.reference.replace('registry.access.redhat.com', '127.0.0.1:5000'));
    expect(second.base.digest).toBe(first.base.digest);
  });

  it.each([
    ['a context file', 'images/openshell/rootfs/runner/entrypoint.sh', '#!/bin/bash', '#!/bin/bash '],
    ['a pin', 'images/pins.yaml', 'ab7e7c85', 'ab7e7c86'],
    ['a checksum', 'checksums/gh/2.74.0.sha256', 'e55c9d49', 'e55c9d48'],
    ['a label', 'images/openshell/image.yaml', 'vendor: Ambient Code', 'vendor: Somebody'],
    ['a mode', 'images/fragments/rootfs-openshell.dockerfile', "mode: '0755'", "mode: '0555'"],
  ])('has another input digest after a change of %s', async (_name, file, from, to) => {
    const before = await plan();
    const text = await readFile(join(root, file), 'utf8');
    await edit(file, text.includes(from) ? from : from.replaceAll("'", '"'), to.replaceAll("'", '"'));
    expect((await plan()).inputDigest).not.toBe(before.inputDigest);
  });

  it('is not disturbed by what does not belong to the image', async () => {
    const before = await plan();
    await writeFile(join(root, 'images/openshell/build-ca/extra.pem'), 'a certificate');
    await writeFile(join(root, 'images/openshell/notes.txt'), 'notes');
    await edit('images/openshell/build-ca/README', 'trust', 'believe');
    expect((await plan()).inputDigest).toBe(before.inputDigest);
  });
});

describe('what cannot be planned', () => {
  it('says so of a folder that is no project, and of one without a part of it', async () => {
    await rm(join(root, 'images/fragments'), { recursive: true });
    expect(await codes(plan())).toEqual(['host/read']);
    await rm(join(root, 'images'), { recursive: true });
    expect(await codes(plan())).toEqual(['plan/no-project']);
  });

  it('names a missing and a linked context file together', async () => {
    await unlink(join(root, 'images/openshell/rootfs/sandbox/.bashrc'));
    await rm(join(root, 'images/openshell/rootfs/runner'), { recursive: true });
    await symlink('/etc', join(root, 'images/openshell/rootfs/runner'));
    const error: unknown = await plan().catch((caught: unknown) => caught);
    expect((error as AppErrors).errors.map(({ message }) => message.split(': ')[1])).toEqual([
      'images/openshell/rootfs/runner is a symbolic link',
      'images/openshell/rootfs/sandbox/.bashrc is missing',
    ]);
  });

  it('names every bad file at once: pins, checksums, fragments and images', async () => {
    await edit('images/pins.yaml', 'version: 3.14.3', 'version: "3.14.3\\n"');
    await edit('images/fragments/gh.dockerfile', 'provides:', 'provide:');
    await edit('images/standard/image.yaml', 'profile: standard', 'profile: other');
    expect(await codes(plan())).toEqual(['config/value', 'config/unknown-key', 'config/value']);
  });

  it('is a pin without one architecture', async () => {
    await writeFile(join(root, 'checksums/gh/2.74.0.sha256'), `${'0'.repeat(64)}  gh_2.74.0_linux_amd64.tar.gz\n`);
    expect(await codes(plan())).toEqual(['checksums/missing']);
  });

  it('is a variant that nobody defined', async () => {
    expect(await codes(plan(host(), { variant: 'openshel' }))).toEqual(['plan/unknown-variant']);
  });

  it('is a pin that names an unknown other pin', async () => {
    await edit('images/pins.yaml', 'installedBy: uv', 'installedBy: pip');
    expect(await codes(plan())).toEqual(['pins/unknown-reference']);
  });
});

describe('the lab', () => {
  it('is marked in the plan and in a label, and never by default', async () => {
    const text = await readFile(join(root, 'images/pins.yaml'), 'utf8');
    await writeFile(join(root, 'lab-pins.yaml'), `lab: true\n${text}`);
    const found = await plan(host(), { pinsFile: 'lab-pins.yaml' });
    expect(found.lab).toBe(true);
    expect(found.dockerfile.text).toContain('io.ambient-code.lab="true"');
    expect((await plan()).dockerfile.text).not.toContain('io.ambient-code.lab');
  });
});

describe('generate', () => {
  it('shows a diff and writes nothing with --check, then mends it', async () => {
    await edit('images/openshell/Dockerfile.openshell', 'EXPOSE 8001', 'EXPOSE 8002');
    await writeFile(join(root, 'images/openshell/Dockerfile.forgotten'), 'FROM scratch\n');
    const { changes } = await generate(host(), { root, check: true });
    expect(changes.map(({ kind, path }) => `${kind} ${path}`)).toEqual([
      'changed images/openshell/Dockerfile.openshell',
      'stale images/openshell/Dockerfile.forgotten',
    ]);
    expect(changes[0]?.diff).toContain('-EXPOSE 8002\n+EXPOSE 8001');
    await generate(host(), { root, check: false });
    expect((await generate(host(), { root, check: true })).changes).toEqual([]);
  });

  it('writes and compares the pages that the caller hands in', async () => {
    const pages = (text: string) => new Map([['docs/cli.md', text]]);
    await generate(host(), { root, check: false, pages: pages('one\n') });
    const { changes } = await generate(host(), { root, check: true, pages: pages('two\n') });
    expect(changes.map(({ kind, path }) => `${kind} ${path}`)).toEqual(['changed docs/cli.md']);
    expect(changes[0]?.diff).toContain('-one\n+two');
  });

  it('copies a lock that both images take, so that they cannot drift', async () => {
    await edit('images/standard/npm/gemini/package-lock.json', 'sha512-', 'sha512-x');
    const { changes } = await generate(host(), { root, check: true });
    expect(changes.map(({ path }) => path)).toEqual(['images/standard/npm/gemini/package-lock.json']);
  });
});
