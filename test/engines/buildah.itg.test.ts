import { beforeAll, expect, test } from 'vitest';
import { platforms } from '../../src/core/index.ts';
import { buildahEngine } from '../../src/engines/index.ts';
import type { LabState } from '../../src/lab/state.ts';
import { useLab } from '../lab/use-lab.ts';
import { baseOf, buildsRight, host, requestFor, stopsWhenAborted, twoStages } from './build-kit.ts';

let lab: LabState;
beforeAll(async () => {
  lab = await useLab();
});

async function lines(...args: string[]): Promise<string[]> {
  return (await host.exec('buildah', args)).stdout
    .trim()
    .split('\n')
    .filter((line) => line !== '');
}

test.each(platforms)('%s is built without a daemon, exported as that platform alone, and removed', async (platform) => {
  const built = await buildsRight(buildahEngine(host), lab, platform);
  expect(built.archive).toBe('oci-archive');
  expect(await lines('images', '--quiet', built.tag)).toEqual([]);
});

test('chroot isolation builds too', async () => {
  // Buildah keeps its cache between runs: only a step that nobody ran before really runs.
  const once = `chroot ${Date.now()}`;
  const engine = buildahEngine(host, { isolation: 'chroot' });
  const request = await requestFor(lab, 'linux/amd64', twoStages(lab, once));
  await engine.remove(await engine.build(request));
  expect(request.events.some((event) => event.$case === 'log' && event.line === `note hello ${once}`)).toBe(true);
});

test('an unchanged build comes from the cache, although the image was removed', async () => {
  const engine = buildahEngine(host);
  const text = twoStages(lab, 'cached by buildah');
  await engine.remove(await engine.build(await requestFor(lab, 'linux/amd64', text)));
  const second = await requestFor(lab, 'linux/amd64', text);
  await engine.remove(await engine.build(second));
  const runs = second.events.filter(({ $case, name }) => $case !== 'started' && name.startsWith('RUN'));
  expect(runs.map(({ $case }) => $case)).toEqual(['cached', 'cached']);
});

test('Ctrl-C stops the step that runs and leaves no container and no image', async () => {
  const before = await lines('containers', '--quiet');
  const request = await stopsWhenAborted(buildahEngine(host), lab, '3004.25');
  expect(await lines('containers', '--quiet')).toEqual(before);
  expect(await lines('images', '--quiet', request.tag)).toEqual([]);
});

test('a failing step names its line and shows its output', async () => {
  const text = `FROM ${baseOf(lab)}\n\nRUN echo before \\\n    && echo cause >&2 && exit 7\n`;
  await expect(buildahEngine(host).build(await requestFor(lab, 'linux/amd64', text))).rejects.toMatchObject({
    code: 'engines/step-failed',
    facts: { where: { line: 3 }, found: expect.stringContaining('cause') as string },
  });
});
