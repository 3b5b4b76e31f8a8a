import { appendFile, cp, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rememberedPlan } from '../../src/flows/plan-memo.ts';
import { buildPlan } from '../../src/flows/plan.ts';
import { root as project } from '../dockerfile/definitions.ts';
import { fakeHost } from '../support/fake-host.ts';

let root: string;
let directory: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'memo-'));
  directory = join(root, 'lib');
  for (const part of ['images', 'checksums', 'package.json'])
    await cp(join(project, part), join(root, part), { recursive: true });
});
afterEach(() => rm(root, { recursive: true }));

const machine = (commit = 'a'.repeat(40), env: Record<string, string> = {}) =>
  fakeHost({
    env,
    run: async (_command, args) => {
      const answers = { log: '1750000000', status: `# branch.oid ${commit}` };
      const [, answer = ''] = Object.entries(answers).find(([verb]) => args.includes(verb)) ?? [];
      return { exitCode: 0, stdout: `${answer}\n`, stderr: '' };
    },
  });

/** planning says whether the plan was made anew: what was made is written, what was remembered is not. */
async function planning(host = machine(), variant = 'openshell-claude', program = '1') {
  let writes = 0;
  const files = {
    ...host.files,
    write: async (...args: Parameters<typeof host.files.write>) => {
      writes += 1;
      await host.files.write(...args);
    },
  };
  const plan = await rememberedPlan({ ...host, files }, { root, variant }, { directory, program });
  return { plan, planned: writes > 0 };
}

describe('a remembered plan', () => {
  it('is the plan, made once', async () => {
    const first = await planning();
    const second = await planning();
    expect([first.planned, second.planned]).toEqual([true, false]);
    expect(second.plan).toEqual(await buildPlan(machine(), { root, variant: 'openshell-claude' }));
  });

  it('is kept for each variant', async () => {
    await planning();
    await planning(machine(), 'standard');
    expect((await planning()).planned).toBe(false);
    expect((await planning(machine(), 'standard')).plan.variant).toBe('standard');
  });

  it.each<[string, () => Promise<unknown>]>([
    ['a pin', () => appendFile(join(root, 'images/pins.yaml'), '# looked at\n')],
    ['a checksum file', () => appendFile(join(root, 'checksums/gh/2.74.0.sha256'), '\n')],
    ['a context file', () => appendFile(join(root, 'images/openshell/rootfs/runner/entrypoint.sh'), '\n')],
    [
      'a new fragment',
      () => cp(join(root, 'images/fragments/gh.dockerfile'), join(root, 'images/fragments/more.dockerfile')),
    ],
    ['the version', () => writeFile(join(root, 'package.json'), '{"version":"9.9.9"}')],
  ])('is made again after a change of %s', async (_name, change) => {
    await planning();
    await change();
    const again = await planning();
    expect(again.planned).toBe(true);
    expect(again.plan).toEqual(await buildPlan(machine(), { root, variant: 'openshell-claude' }));
  });

  it('is made again for another commit, another date, another program', async () => {
    await planning();
    const other = await planning(machine('b'.repeat(40)));
    expect(other.plan.buildArgs['GIT_COMMIT']).toBe('b'.repeat(40));
    expect((await planning(machine('b'.repeat(40), { SOURCE_DATE_EPOCH: '5' }))).plan.sourceDateEpoch).toBe(5);
    await planning();
    expect((await planning(machine(), 'openshell-claude', '2')).planned).toBe(true);
  });

  it('is made of nothing else than what is compared', async () => {
    const host = machine();
    const asked = new Set<string>();
    const note = <A extends [string, ...unknown[]], R>(ask: (...args: A) => R) => {
      return (...args: A): R => {
        asked.add(relative(root, args[0]).split('/')[0] ?? '');
        return ask(...args);
      };
    };
    const { files: own } = host;
    const files = {
      ...own,
      read: note((path: string, limit?: number) => own.read(path, limit)),
      readText: note((path: string, limit?: number) => own.readText(path, limit)),
      stat: note((path: string) => own.stat(path)),
      list: note((path: string) => own.list(path)),
    };
    await buildPlan({ ...host, files }, { root, variant: 'openshell-claude' });
    expect([...asked].sort()).toEqual(['checksums', 'images', 'package.json']);
  });

  it('does not hide a file that became a link', async () => {
    await planning();
    const file = join(root, 'images/openshell/rootfs/sandbox/.bashrc');
    await cp(file, join(root, 'elsewhere'));
    await rm(file);
    await symlink(join(root, 'elsewhere'), file);
    await expect(planning()).rejects.toMatchObject({ message: expect.stringContaining('symbolic link') as string });
  });

  it('is not needed: a broken memo, and a place that cannot be written, only cost time', async () => {
    const first = await planning();
    const [name] = await readdir(directory);
    await writeFile(join(directory, name ?? ''), '{"half');
    expect((await planning()).plan).toEqual(first.plan);
    await rm(directory, { recursive: true });
    await writeFile(directory, 'a file, no directory');
    expect((await planning()).plan).toEqual(first.plan);
  });
});
