import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { chmod, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { root as project } from '../dockerfile/definitions.ts';
import { runner, type events } from './events.ts';
import { actionFiles, stepsOf, workflowFiles } from './files.ts';

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const run = (command: string, args: readonly string[], env: Record<string, string>, cwd = project): Promise<Ended> =>
  new Promise((resolve) => {
    const path = { PATH: process.env['PATH'] ?? '', HOME: tmpdir() };
    execFile(command, args, { cwd, env: { ...path, ...env } }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 1, stdout, stderr });
    });
  });
const step = (args: readonly string[], env: Record<string, string>) =>
  run(process.execPath, [join(project, 'bin/runner-image.mjs'), 'ci', ...args], env);

async function folder(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'ci-steps-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

describe('the step that plans, as the workflow runs it', { timeout: 60_000 }, () => {
  let tree: string;
  let commit: string;
  beforeAll(async () => {
    tree = await mkdtemp(join(tmpdir(), 'ci-tree-'));
    for (const part of ['images', 'checksums', 'package.json'])
      await cp(join(project, part), join(tree, part), { recursive: true });
    const git = (...args: string[]) =>
      run('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.test', ...args], {}, tree);
    await git('init', '-q');
    await git('add', '.');
    await git('commit', '-qm', 'all of it');
    commit = (await git('rev-parse', 'HEAD')).stdout.trim();
    return () => rm(tree, { recursive: true, force: true });
  }, 60_000);

  const plan = async (name: keyof typeof events) => {
    const directory = await folder();
    const env = await runner(directory, name);
    const payload = await readFile(join(directory, 'event.json'), 'utf8');
    await writeFile(join(directory, 'event.json'), payload.replaceAll('a'.repeat(40), commit));
    const pull = env['GITHUB_EVENT_NAME'] === 'pull_request';
    const sha = pull ? (env['GITHUB_SHA'] ?? '') : commit;
    const file = join(directory, 'plan.json');
    const ended = await step(['plan', '--force', '--root', tree, '--output', file], { ...env, GITHUB_SHA: sha });
    const lines = (await readFile(join(directory, 'output'), 'utf8')).trim().split('\n');
    const outputs = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
    return { ended, outputs, file, summary: await readFile(join(directory, 'summary.md'), 'utf8') };
  };

  it.each([
    ['push', { push: 'release', tag: 'true', expires: '' }],
    ['pullRequest', { push: 'expiring', tag: 'true', tags: 'pr-7', expires: '48h' }],
    ['fork', { push: 'nowhere', tag: 'false', tags: '', expires: '' }],
    ['mergeGroup', { push: 'nowhere', tag: 'false' }],
  ] as const)('%s', async (name, expected) => {
    const { ended, outputs, file, summary } = await plan(name);
    expect(ended).toMatchObject({ code: 0 });
    expect(outputs).toMatchObject({ build: 'true', revision: commit, ...expected });
    const { include } = JSON.parse(outputs['matrix'] ?? '') as { include: { variant: string; runner: string }[] };
    const { plans } = JSON.parse(await readFile(file, 'utf8')) as { plans: { variant: string; buildArgs: object }[] };
    expect(include).toHaveLength(plans.length * 2);
    expect(plans.map(({ buildArgs }) => buildArgs)).toEqual(
      plans.map(() => expect.objectContaining({ GIT_COMMIT: commit }) as unknown),
    );
    expect(summary).toContain(`${plans.length} of ${plans.length} variants to build`);
  });
});

describe('the step that judges, as the workflow runs it', { timeout: 60_000 }, () => {
  const outputs = { build: 'true', push: 'nowhere', tag: 'false' };
  const needs = (build: string) =>
    JSON.stringify({
      plan: { result: 'success', outputs },
      build: { result: build, outputs: {} },
      gate: { result: 'success', outputs: {} },
      publish: { result: 'skipped', outputs: {} },
      digests: { result: 'skipped', outputs: {} },
      sign: { result: 'skipped', outputs: {} },
      tags: { result: 'skipped', outputs: {} },
    });
  it('ends with 0 when all is well, 1 when a job was cancelled, and 2 when it was not told', async () => {
    expect(await step(['result'], { NEEDS: needs('success') })).toMatchObject({ code: 0 });
    expect(await step(['result'], { NEEDS: needs('cancelled') })).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('build: cancelled') as unknown,
    });
    expect(await step(['result'], {})).toMatchObject({ code: 2 });
  });
});

describe('what is asked for in a way that could not be kept', { timeout: 60_000 }, () => {
  const command = (...args: string[]) => run(process.execPath, [join(project, 'bin/runner-image.mjs'), ...args], {});

  it.each([
    [['check', 'oci:dist/x', '--evidence', 'evidence.json'], '--evidence with --run'],
    [['publish', '--evidence', 'evidence.json', '--skip-gate'], 'at most one of --evidence'],
    [['publish', '--recorded-runs', '--skip-gate'], 'at most one of --evidence'],
    [['ci'], 'plan [options]'],
    [['ci', 'check'], "unknown command 'check'"],
    [['ci', 'tag', 'standard'], '--plan'],
  ])('%j exits with 2 and says why', async (args, why) => {
    expect(await command(...args)).toMatchObject({ code: 2, stderr: expect.stringContaining(why) as unknown });
  });

  it('each step of ci has a help of its own, which names what it takes', async () => {
    const { code, stdout } = await command('ci', 'digests', '--help');
    expect(code).toBe(0);
    expect(stdout).toMatch(/--plan <file>[^]*--evidence <folder>/);
    expect(stdout).not.toContain('--revision');
  });
});

describe('the login of the workflow that signs', () => {
  const login = async (secrets: Record<string, string>) => {
    const directory = await folder();
    await writeFile(join(directory, 'docker'), '#!/bin/sh\necho "$*" "$(cat)"\n');
    await chmod(join(directory, 'docker'), 0o755);
    const sign = workflowFiles.find(({ file }) => file.endsWith('/sign.yml'));
    const script = sign === undefined ? undefined : stepsOf(sign).find(({ name }) => name === 'Log in to Quay')?.run;
    const env = { PATH: `${directory}:${process.env['PATH'] ?? ''}`, ...secrets };
    return run('bash', ['-eo', 'pipefail', '-c', script ?? 'exit 99'], env, directory);
  };

  it('takes both secrets, the token by standard input, and names the environment that has none', async () => {
    expect(await login({ QUAY_ROBOT: 'team+robot', QUAY_TOKEN: 'secret' })).toMatchObject({
      code: 0,
      stdout: 'login quay.io --username team+robot --password-stdin secret\n',
    });
    expect(await login({ QUAY_ROBOT: 'team+robot', QUAY_TOKEN: '' })).toMatchObject({
      code: 2,
      stdout: expect.stringContaining('::error::the environment quay') as unknown,
    });
  });
});

describe('the action for authors of custom images', { timeout: 60_000 }, () => {
  /** A stand-in for the command: it writes down its arguments, and a report as `check` does. */
  const stand = `import { writeFileSync } from 'node:fs';
const args = process.argv.slice(2);
writeFileSync(process.env.SEEN, JSON.stringify(args));
if (process.env.REPORT !== 'none') writeFileSync(args[args.indexOf('--output') + 1], '{}');
process.exit(Number(process.env.CODE ?? 0));
`;
  const check = async (inputs: Record<string, string>) => {
    const directory = await folder();
    await mkdir(join(directory, 'bin'));
    await writeFile(join(directory, 'bin/runner-image.mjs'), stand);
    const action = actionFiles.find(({ file }) => file.includes('check-image'));
    const script = action === undefined ? undefined : stepsOf(action).find(({ id }) => id === 'check')?.run;
    const env = {
      PROJECT: directory,
      SARIF: join(directory, 'r.sarif'),
      SEEN: join(directory, 'seen'),
      GITHUB_OUTPUT: join(directory, 'output'),
      IMAGE: 'docker-daemon:me/runner:dev',
      PROFILE: 'custom',
      DERIVED_FROM: 'standard',
      PLATFORMS: '',
      WAIVERS: '',
      RUN_IT: 'false',
      ...inputs,
    };
    await writeFile(env.GITHUB_OUTPUT, '');
    // As GitHub runs `shell: bash`.
    const ended = await run(
      'bash',
      ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script ?? 'exit 99'],
      env,
      directory,
    );
    const seen = JSON.parse(await readFile(env.SEEN, 'utf8')) as string[];
    return { ended, seen, sarif: env.SARIF, output: await readFile(env.GITHUB_OUTPUT, 'utf8'), directory };
  };

  it('checks the image, and hands the report on', async () => {
    const { ended, seen, sarif, output } = await check({});
    expect(ended.code).toBe(0);
    expect(seen.join(' ')).toBe(
      `check docker-daemon:me/runner:dev --format sarif --output ${sarif} --profile custom --derived-from standard`,
    );
    expect(output).toBe(`sarif=${sarif}\n`);
  });

  it('passes on waivers, platforms and the wish to run it', async () => {
    const { seen } = await check({ WAIVERS: 'w.yaml', PLATFORMS: 'linux/amd64', RUN_IT: 'true', PROFILE: 'standard' });
    expect(seen.slice(-6)).toEqual(['standard', '--platform', 'linux/amd64', '--waivers', 'w.yaml', '--run']);
  });

  it('fails with findings, but hands their report on; without a report there is nothing to upload', async () => {
    expect(await check({ CODE: '1' })).toMatchObject({
      ended: { code: 1 },
      output: expect.stringContaining('sarif=') as unknown,
    });
    expect(await check({ CODE: '3', REPORT: 'none' })).toMatchObject({ ended: { code: 3 }, output: '' });
  });

  it('takes a hostile input as one word', async () => {
    const { seen, directory } = await check({ IMAGE: '$(touch pwned)"; touch pwned #' });
    expect(seen[1]).toBe('$(touch pwned)"; touch pwned #');
    await expect(readFile(join(directory, 'pwned'))).rejects.toThrow('ENOENT');
  });
});
