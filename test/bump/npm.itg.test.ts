import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { bump } from '../../src/flows/bump/index.ts';
import { createHost } from '../../src/host/index.ts';
import { stage } from './stage.ts';

interface Lock {
  readonly packages: Record<string, { version?: string; integrity?: string; resolved?: string; cpu?: string[] }>;
}

it('npm itself, as this machine configures it, finds a newer codex and locks it for both CPUs', async () => {
  const { root } = await stage();
  const { rows, written } = await bump(createHost({ quiet: true }), {
    root,
    targets: ['codex'],
    dryRun: false,
    downgrade: false,
    now: true,
    mirrors: { images: {}, urls: {} },
  });
  expect([rows[0]?.verdict.$case, written]).toEqual(['due', true]);
  const lock = JSON.parse(readFileSync(join(root, 'images/openshell/npm/codex/package-lock.json'), 'utf8')) as Lock;
  const packages = Object.entries(lock.packages).filter(([path]) => path !== '');
  expect(
    packages.every(
      ([, { integrity, resolved }]) => integrity?.startsWith('sha512-') === true && resolved === undefined,
    ),
  ).toBe(true);
  const cpus = new Set(packages.flatMap(([, { cpu = [] }]) => cpu));
  expect([cpus.has('x64'), cpus.has('arm64')]).toEqual([true, true]);
  const version = lock.packages['node_modules/@openai/codex']?.version ?? '';
  expect(readFileSync(join(root, 'images/pins.yaml'), 'utf8')).toContain(
    `version: ${version}\n    lock: images/openshell/npm/codex`,
  );
});
