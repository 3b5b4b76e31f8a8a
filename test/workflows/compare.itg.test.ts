import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { joinLayouts } from '../../src/flows/join.ts';
import { buildPlan } from '../../src/flows/plan.ts';
import { pushed } from '../support/pushed.ts';
import { createRegistry } from '../../src/registry/index.ts';
import { root as project } from '../dockerfile/definitions.ts';
import { startMemoryRegistry, type Fault } from '../support/registries/memory-registry.ts';
import { stepsOf, workflowFiles } from './files.ts';
import { machine, part, workTree } from './stage.ts';

/** The step as build.yml has it. */
const script = workflowFiles
  .filter(({ file }) => file.endsWith('/build.yml'))
  .flatMap(stepsOf)
  .find(({ run }) => run?.includes('ci compare'))?.run;

async function place() {
  let fault: Fault = () => false;
  const server = await startMemoryRegistry({ fault: (...given) => fault(...given) });
  onTestFinished(() => server.close());
  const root = await workTree(server.host);
  const host = machine();
  const plan = await buildPlan(host, { root, variant: 'standard' });
  const layout = join(root, 'dist/standard');
  const built = async (options: { readonly body: string; readonly installed: string }) => {
    await rm(layout, { recursive: true, force: true });
    const from = [];
    for (const platform of plan.platforms) from.push(await part(root, platform.slice(6), plan, platform, options));
    await joinLayouts(host, { plan, layout, from });
  };
  await mkdir(join(root, 'run'));
  await writeFile(join(root, 'run/plan.json'), JSON.stringify({ version: 1, plans: [plan], unchanged: [] }));
  const publish = () =>
    pushed(host, { layout, repository: plan.repository, registry: createRegistry(host), tags: ['latest'] });
  const compare = async () => {
    const summary = join(root, 'summary.md');
    await writeFile(summary, '');
    const text = (script ?? 'exit 99').replace(
      'bin/runner-image.mjs ci compare',
      `${project}/bin/runner-image.mjs ci compare --root ${root}`,
    );
    const env = {
      PATH: process.env['PATH'] ?? '',
      HOME: root,
      CI: 'true',
      VARIANT: 'standard',
      GITHUB_STEP_SUMMARY: summary,
    };
    const code = await new Promise<number>((resolve) => {
      execFile('bash', ['-eo', 'pipefail', '-c', text], { cwd: root, env }, (error) => {
        resolve(typeof error?.code === 'number' ? error.code : error === null ? 0 : 1);
      });
    });
    return { code, summary: await readFile(summary, 'utf8') };
  };
  return { built, publish, compare, misbehave: (given: Fault) => void (fault = given) };
}

describe('what a pull request changes in an image, as build.yml shows it', { timeout: 120_000 }, () => {
  it('is in the summary: size on every platform, and packages', async () => {
    const { built, publish, compare } = await place();
    await built({ body: 'small', installed: 'curl' });
    await publish();
    await built({ body: 'x'.repeat(20_000), installed: 'wget' });
    const { code, summary } = await compare();
    expect([code, summary]).toEqual([0, expect.stringContaining('### Images')]);
    expect(summary).toMatch(/acp\\_claude\\_runner:latest&#64;&#8203;sha256:[0-9a-f]{64} → standard of this run/);
    expect(summary).toMatch(/\| linux\/arm64 \| layers, unpacked \| .* \| \+\d/);
    expect(summary).toMatch(/\| added \| deb\/wget \|/);
    expect(summary).toMatch(/\| removed \| deb\/curl \|/);
  });

  it('is no failure where there is nothing to compare with, or nobody who lets it be read', async () => {
    const { built, compare, misbehave } = await place();
    await built({ body: 'first', installed: 'curl' });
    expect(await compare()).toMatchObject({
      code: 0,
      summary: expect.stringMatching(/\*\*standard\*\* was not compared: .*:latest is not published yet/) as unknown,
    });
    misbehave((_request, response) => {
      response.writeHead(403).end();
      return true;
    });
    expect(await compare()).toMatchObject({
      code: 0,
      summary: expect.stringContaining('(registry/denied)') as unknown,
    });
  });
});
