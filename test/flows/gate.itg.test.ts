import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LabState } from '../../src/lab/state.ts';
import { useLab } from '../lab/use-lab.ts';
import { healthyProject } from './healthy.ts';
import { makeProject, startIn, type Project, type Ran } from './project.ts';

let lab: LabState;
const projects: Project[] = [];

async function command(project: Project, ...args: string[]): Promise<Ran> {
  return (await startIn(project, args)).ended;
}

/** An image that is built and keeps what the layers can tell; whether it starts is its command's matter. */
async function built(cmd?: string, ...args: string[]): Promise<Project> {
  const project = await makeProject(lab);
  projects.push(project);
  await healthyProject(project, cmd);
  const { code, stderr } = await command(project, 'build', 'small', ...args);
  if (code !== 0) throw new Error(stderr);
  return project;
}

beforeAll(async () => {
  lab = await useLab();
});
afterAll(async () => {
  for (const project of projects) await project.remove();
});

const fresh = (): string => `itg-${randomBytes(4).toString('hex')}/small`;
const statusOf = async (repository: string, reference: string): Promise<number> => {
  const headers = { accept: 'application/vnd.oci.image.index.v1+json' };
  return (await fetch(`http://${lab.registry}/v2/${repository}/manifests/${reference}`, { headers })).status;
};

describe('the gate starts what it lets through', () => {
  test('each platform’s container answers /health, and only then the image is in the registry under its tag', async () => {
    const project = await built();
    const repository = fresh();
    const to = ['--to', `${lab.registry}/${repository}`, '--tag', 'v1'];
    const { code, stdout, stderr } = await command(project, 'publish', 'small', ...to, '--json');
    expect(code, stderr).toBe(0);
    for (const platform of ['linux/amd64', 'linux/arm64'])
      expect(stderr).toMatch(new RegExp(`starting ${platform}: healthy after`));
    const { digest } = JSON.parse(stdout) as { digest: string };
    expect(await statusOf(repository, 'v1')).toBe(200);
    expect(await statusOf(repository, digest)).toBe(200);
  });

  test('one that ends instead of answering closes it: exit 1, what it said is told, and nothing was pushed', async () => {
    const words = 'no such bridge as asked for';
    const project = await built(`["/bin/sh", "-c", "echo ${words} >&2; exit 3"]`, '--platform', 'linux/amd64');
    const repository = fresh();
    const to = ['--to', `${lab.registry}/${repository}`, '--tag', 'v1'];
    // Built for one platform, it is no release, whether it starts or not.
    const partial = await command(project, 'publish', 'small', ...to);
    expect(partial.code).toBe(2);
    expect(partial.stderr).toContain('publish/incomplete');
    expect(partial.stderr).toContain('the layout has no linux/arm64');
    const args = ['publish', 'small', '--platform', 'linux/amd64', ...to];
    const { code, stdout, stderr } = await command(project, ...args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.match(/^error: /gm)).toHaveLength(1);
    expect(stderr).toContain('publish/gate');
    expect(stderr).toContain('probe/startup');
    expect(stderr).toContain(words);
    expect(await statusOf(repository, 'v1')).toBe(404);
  });
});
