import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runScript } from './containers.ts';
import { findDaemons, isAlive } from '../../src/lab/daemons.ts';
import { down } from '../../src/lab/down.ts';
import { labPaths } from '../../src/lab/paths.ts';
import { readLab, type LabState } from '../../src/lab/state.ts';
import { up } from '../../src/lab/up.ts';

// A lab of its own, beside the one that the other tests share; the downloads are the same.
let place = '';
let lab: LabState;
const before = { lab: process.env['RUNNER_IMAGE_LAB'], engine: process.env['RUNNER_IMAGE_LAB_ENGINE'] };

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'lab-life-'));
  process.env['RUNNER_IMAGE_LAB'] = join(place, 'lab');
  process.env['RUNNER_IMAGE_LAB_ENGINE'] = 'own';
  lab = await up({ engines: ['classic', 'current'] });
});

afterAll(async () => {
  await down();
  for (const [name, value] of [
    ['RUNNER_IMAGE_LAB', before.lab],
    ['RUNNER_IMAGE_LAB_ENGINE', before.engine],
  ] as const)
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  await rm(place, { recursive: true, force: true });
});

async function traces(): Promise<string[]> {
  const paths = labPaths();
  const found: string[] = [];
  for (const daemon of lab.daemons) if (await isAlive(daemon)) found.push(`process ${daemon.name}`);
  for (const daemon of await findDaemons([`${paths.run}/`, `${paths.lab}/`])) found.push(`process ${daemon.name}`);
  for (const directory of [paths.lab, paths.run, paths.lock])
    if (await stat(directory).catch(() => undefined)) found.push(`directory ${directory}`);
  for (const name of await readdir('/sys/class/net')) if (name.includes(paths.id)) found.push(`interface ${name}`);
  for (const name of await readdir('/proc/sys/fs/binfmt_misc').catch(() => []))
    if (name.includes(paths.id)) found.push(`binfmt ${name}`);
  const mounts = await readFile('/proc/self/mounts', 'utf8');
  for (const line of mounts.split('\n'))
    if (line.includes(paths.run) || line.includes(paths.lab)) found.push(`mount ${line}`);
  return found;
}

test('a second lab up changes nothing and takes less than two seconds', async () => {
  const start = Date.now();
  const again = await up({ engines: ['classic', 'current'] });
  expect(Date.now() - start).toBeLessThan(2000);
  expect(again).toEqual(lab);
});

test('both engines run both platforms', async () => {
  for (const endpoint of Object.values(lab.docker))
    for (const [platform, machine] of [
      ['linux/amd64', 'x86_64'],
      ['linux/arm64', 'aarch64'],
    ] as const)
      expect(await runScript(lab, platform, 'uname -m', endpoint)).toEqual({ exitCode: 0, output: `${machine}\n` });
});

test("the pins are the lab's and say so", async () => {
  const text = await readFile(lab.pins, 'utf8');
  expect(text).toMatch(/^lab: true$/m);
  for (const image of Object.values(lab.images)) expect(text).toContain(`digest: ${image.digest}`);
  expect(text).toContain(`commit: ${lab.runner.commit}`);
});

test('lab down leaves no process, mount, interface, binfmt entry or directory, and may be said twice', async () => {
  expect((await traces()).length).toBeGreaterThan(8);
  await down();
  expect(await traces()).toEqual([]);
  await down();
  expect(await readLab()).toBeUndefined();
});
