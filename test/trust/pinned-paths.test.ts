import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { labelNames, type Picture } from '../../src/core/index.ts';
import { buildPlan, loadDefinitions } from '../../src/flows/plan.ts';
import { pinnedPaths, projectPins } from '../../src/flows/trust/index.ts';
import { fakeHost } from '../support/fake-host.ts';

const root = resolve(import.meta.dirname, '../..');
const host = fakeHost();

const pathsOf = async (variant: string): Promise<Record<string, string>> =>
  Object.fromEntries(pinnedPaths(await loadDefinitions(host, root), variant).map(({ pin, path }) => [pin.name, path]));

describe('which pin lies where', () => {
  test('openshell: tools, interpreter, and the runner from its source, which another stage fetched', async () => {
    expect(await pathsOf('openshell')).toMatchObject({
      gh: '/usr/local/bin/gh',
      uv: '/usr/local/bin/uv',
      python: '/sandbox/.venv/bin/python',
      runner: '/runner/ambient-runner/main.py',
    });
  });

  test('standard: the supervisor, too, and no interpreter of uv', async () => {
    const paths = await pathsOf('standard');
    expect(paths).toMatchObject({ supervisor: '/openshell-sandbox', runner: '/app/ambient-runner/main.py' });
    expect(paths).not.toHaveProperty('python');
    expect(Object.keys(paths).filter((name) => name.endsWith('rpms'))).toEqual([]);
  });
});

describe('an image’s pins', () => {
  const picture = (labels: Record<string, string>) =>
    ({ config: { config: { Labels: labels } } }) as unknown as Picture;

  test('are those of the plan that it was built from', async () => {
    const { inputDigest } = await buildPlan(host, { root, variant: 'standard' });
    const labels = { [labelNames.variant]: 'standard', [labelNames.inputDigest]: inputDigest };
    const pins = await projectPins(host, { root })(picture(labels));
    expect(pins.map(({ pin }) => pin.name)).toContain('supervisor');
  });

  test('are not guessed for an image of other inputs, nor for somebody else’s', async () => {
    const told = fakeHost();
    const labels = { [labelNames.variant]: 'standard', [labelNames.inputDigest]: `sha256:${'0'.repeat(64)}` };
    expect(await projectPins(told, { root })(picture(labels))).toEqual([]);
    expect(told.told.join()).toContain('was not built from what the project says now');
    expect(await projectPins(told, { root })(picture({ [labelNames.variant]: 'no-such-variant' }))).toEqual([]);
    expect(await projectPins(told, { root })(picture({}))).toEqual([]);
  });
});
