import { get } from 'node:http';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { architectureOf, parseIndex, parseManifest, platforms, type Platform } from '../../src/core/index.ts';
import { createHost } from '../../src/host/index.ts';
import { openLayout } from '../../src/oci/index.ts';
import type { LabState } from '../lab/state.ts';
import { useLab } from '../lab/use-lab.ts';
import { until } from '../engines/build-kit.ts';
import { projectRoot, start } from './project.ts';

// The project's own root, so that what `make demo` built is found again: built anew, this takes minutes.
const variants = ['openshell', 'standard'] as const;
const host = createHost({ quiet: true });
let lab: LabState;
beforeAll(async () => {
  lab = await useLab();
});

async function json(...args: string[]): Promise<unknown> {
  const { code, stdout, stderr } = await start([...args, '--lab', '--json']).ended;
  if (code !== 0) throw new Error(`${args.join(' ')}: exit ${code ?? 'none'}\n${stderr}`);
  return JSON.parse(stdout);
}

const docker = async (...args: string[]): Promise<string> => {
  const { exitCode, stdout, stderr } = await host.exec('docker', ['-H', lab.docker.classic, ...args]);
  if (exitCode !== 0) throw new Error(`docker ${args.join(' ')}: ${stderr}`);
  return stdout.trim();
};

const status = (url: string): Promise<number> =>
  new Promise((resolve) => {
    get(url, { timeout: 5000 }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .once('timeout', function (this: { destroy(): void }) {
        this.destroy();
      })
      .once('error', () => {
        resolve(0);
      });
  });

/** Started as a user would, from the registry by digest: the answer of /health, and the machine inside. */
async function started(reference: string, platform: Platform): Promise<{ health: number; machine: string }> {
  await docker('pull', '--quiet', '--platform', platform, reference);
  const id = await docker(
    'run',
    '--detach',
    '--init',
    '--platform',
    platform,
    '--publish',
    '127.0.0.1::8001',
    reference,
  );
  try {
    const port = (await docker('port', id, '8001')).split('\n')[0] ?? '';
    let health = 0;
    await until(async () => (health = await status(`http://${port}/health`)) !== 0, 240);
    return { health, machine: await docker('exec', id, 'uname', '-m') };
  } finally {
    await docker('rm', '--force', '--volumes', id);
  }
}

describe.each(variants)('%s, the whole way', (variant) => {
  let digest = '';
  let reference = '';

  test('build gives one layout for both platforms, and the second time answers at once', async () => {
    await json('build', variant);
    const again = (await json('build', variant)) as { $case: string; index: { digest: string } };
    expect(again.$case).toBe('unchanged');
    const layout = await openLayout(host, join(projectRoot, 'dist', variant));
    const root = (await layout.index())?.manifests[0];
    expect(root?.digest).toBe(again.index.digest);
    if (root === undefined) return;
    const { manifests } = parseIndex(await layout.read(root));
    expect(manifests.map((one) => one.platform?.architecture)).toEqual(['amd64', 'arm64']);
    for (const child of manifests) {
      const { layers } = parseManifest(await layout.read(child));
      expect(layers.length).toBeGreaterThan(5);
    }
    digest = again.index.digest;
  });

  test('check finds no error', async () => {
    const { code, stdout, stderr } = await start(['check', `oci:${join(projectRoot, 'dist', variant)}`, '--lab']).ended;
    expect(`${code ?? 'none'}${code === 0 ? '' : `\n${stdout}\n${stderr}`}`).toBe('0');
  });

  test('publish starts both platforms, pushes, and moves the tags last', async () => {
    const { code, stdout, stderr } = await start(['publish', variant, '--tag', 'itg', '--lab', '--json']).ended;
    expect(`${code ?? 'none'}${code === 0 ? '' : `\n${stderr}`}`).toBe('0');
    for (const platform of platforms) expect(stderr).toMatch(new RegExp(`starting ${platform}.*healthy after`));
    const published = JSON.parse(stdout) as { digest: string; reference: string; tags: { after: string }[] };
    expect(published.digest).toBe(digest);
    expect(published.tags.map(({ after }) => after)).toEqual([digest, digest]);
    ({ reference } = published);
  });

  test.each(platforms)('docker run of %s from the registry by digest answers /health', async (platform) => {
    expect(reference).toContain(`@${digest}`);
    const machine = { amd64: 'x86_64', arm64: 'aarch64' }[architectureOf(platform)];
    expect(await started(reference, platform)).toEqual({ health: 200, machine });
  });
});
