import { appendFile, cp, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rememberedPlan } from '../../src/flows/plan-memo.ts';
import { buildPlan } from '../../src/flows/plan.ts';
import { root as project } from '../dockerfile/definitions.ts';
import { fakeHost } from '../support/fake-host.ts';

let root: string;
let directory: string;
beforeEach(async () => {
  dated = 0;
  root = await mkdtemp(join(tmpdir(), 'memo-'));
  directory = join(root, 'lib');
  for (const part of ['images', 'checksums', 'package.json'])
    await cp(join(project, part), join(root, part), { recursive: true });
});
afterEach(() => rm(root, { recursive: true }));

/** How often git was asked when the inputs were last touched. */
let dated: number;
const machine = (commit = 'a'.repeat(40), env: Record<string, string> = {}, shallow = false) =>
  fakeHost({
    env,
    run: async (_command, args) => {
      const answers = { log: '1750000000', 'rev-parse': String(shallow), status: `# branch.oid ${commit}` };
      if (args.includes('log')) dated += 1;
      const [, answer = ''] = Object.entries(answers).find(([verb]) => args.includes(verb)) ?? [];
      return { exitCode: 0, stdout: `${answer}\n`, stderr: '' };
    },
  });

/** planning tells whether the plan was made anew: what was made is written, what was remembered is not. */
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

  it('has the date of the same commit with it, and asks for that of another', async () => {
    await planning();
    expect((await planning()).planned).toBe(false);
    expect(dated).toBe(1);
    await planning(machine('b'.repeat(40)));
    expect(dated).toBe(2);
  });

  it('asks for the date again where the history is not whole', async () => {
    const shallow = machine(undefined, {}, true);
    await planning(shallow);
    expect((await planning(shallow)).planned).toBe(false);
    expect(dated).toBe(2);
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
