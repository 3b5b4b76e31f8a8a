import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseImageRef } from '../../src/core/index.ts';
import { ciPlan, destinationOf, parseEvent, readEvent, setOutputs, thawPlan } from '../../src/flows/ci/index.ts';
import { inputTag } from '../../src/flows/build/index.ts';
import { joinLayouts } from '../../src/flows/join.ts';
import { buildPlan } from '../../src/flows/plan.ts';
import { pushed } from '../support/pushed.ts';
import { createRegistry } from '../../src/registry/index.ts';
import { startMemoryRegistry, type MemoryRegistry } from '../support/registries/memory-registry.ts';
import { events, mergeCommit, runner } from './events.ts';
import { head, machine, part, workTree } from './stage.ts';

let server: MemoryRegistry;
let root: string;
beforeEach(async () => {
  server = await startMemoryRegistry();
  root = await workTree(server.host);
});
afterEach(() => server.close());

const eventOf = async (name: keyof typeof events) => readEvent(machine(await runner(root, name)));
const planFor = async (name: keyof typeof events, options = {}, host = machine()) =>
  ciPlan(host, { root, event: await eventOf(name), registry: createRegistry(host), ...options });

describe('the event of a run', () => {
  it.each([
    ['push', { $case: 'default-branch', commit: head }],
    ['branch', { $case: 'other-branch', commit: head }],
    ['dispatch', { $case: 'default-branch', commit: head }],
    ['mergeGroup', { $case: 'merge-queue', commit: head }],
    ['pullRequest', { $case: 'pull-request', number: 7, commit: head, trusted: true }],
    ['fork', { $case: 'pull-request', number: 7, commit: head, trusted: false }],
    ['deletedFork', { $case: 'pull-request', number: 7, commit: head, trusted: false }],
    ['dependabot', { $case: 'pull-request', number: 7, commit: head, trusted: false }],
  ] as const)('%s', async (name, expected) => {
    expect(await eventOf(name)).toEqual(expected);
  });

  it('never is the merge commit of a pull request, which nobody wrote', async () => {
    expect((await eventOf('pullRequest')).commit).not.toBe(mergeCommit);
  });

  it.each([
    ['pull_request_target', events.fork.payload],
    ['release', {}],
    ['pull_request', { number: 7, pull_request: { head: { sha: '$(id)', repo: null } } }],
    ['push', {}],
  ])('refuses %s with a payload that it does not understand', (name, payload) => {
    expect(() => parseEvent({ GITHUB_EVENT_NAME: name, GITHUB_SHA: head }, payload)).toThrow(
      expect.objectContaining({ code: 'ci/event' }),
    );
  });

  it('is not guessed outside a workflow', async () => {
    await expect(readEvent(machine())).rejects.toMatchObject({ code: 'ci/event' });
  });
});

describe('where images go', () => {
  it.each([
    ['push', 'release', [head, 'latest']],
    ['pullRequest', 'expiring', ['pr-7']],
  ] as const)('%s: %s', async (name, $case, tags) => {
    expect(destinationOf(await eventOf(name))).toMatchObject({ $case, tags });
  });
  it.each(['fork', 'deletedFork', 'dependabot', 'mergeGroup', 'branch'] as const)('%s: nowhere', async (name) => {
    expect(destinationOf(await eventOf(name)).$case).toBe('nowhere');
    expect((await planFor(name)).tagged).toEqual([]);
  });
});

describe('the plan of a run', () => {
  it('has one native job for every platform of every variant', async () => {
    const { jobs, variants, frozen } = await planFor('push');
    expect(variants).toEqual(frozen.plans.map(({ variant }) => variant));
    expect(jobs.map(({ variant, platform }) => `${variant} ${platform}`)).toEqual(
      frozen.plans.flatMap(({ variant, platforms }) => platforms.map((platform) => `${variant} ${platform}`)),
    );
    expect(new Set(jobs.map(({ platform, runner: on }) => `${platform} ${on}`))).toEqual(
      new Set(['linux/amd64 ubuntu-24.04', 'linux/arm64 ubuntu-24.04-arm']),
    );
  });

  it('refuses a checkout that is not the commit of the event', async () => {
    await expect(planFor('pullRequest', {}, machine({}, mergeCommit))).rejects.toMatchObject({
      code: 'ci/commit',
      facts: { expected: head, found: mergeCommit },
    });
    const dirty = machine({}, head, '1750000000', ' M images/pins.yaml');
    await expect(planFor('push', {}, dirty)).rejects.toMatchObject({ facts: { found: `${head}-dirty` } });
  });

  const publish = async (expires?: string) => {
    const host = machine();
    const plan = await buildPlan(host, { root, variant: 'standard' });
    const options = expires === undefined ? {} : { expires };
    const from = [];
    for (const platform of plan.platforms)
      from.push(await part(root, platform.slice(6), plan, platform, { ...options }));
    const layout = join(root, 'dist/standard');
    await joinLayouts(host, { plan, layout, from, ...options });
    const registry = createRegistry(host);
    return await pushed(host, {
      layout,
      repository: plan.repository,
      registry,
      tags: expires === undefined ? [inputTag(plan)] : [],
    });
  };

  it('leaves out what was published from the same inputs, unless told to build it all', async () => {
    const { reference } = await publish();
    const { variants, frozen, tagged } = await planFor('push');
    expect(variants).not.toContain('standard');
    expect(frozen.unchanged).toEqual([{ variant: 'standard', reference }]);
    expect(tagged).toContainEqual({ variant: 'standard', built: false });
    expect((await planFor('push', { force: true })).variants).toContain('standard');
    // A pull request's tag on an image that stays would stay as well.
    expect((await planFor('pullRequest')).tagged.map(({ variant }) => variant)).not.toContain('standard');
  });

  it('never takes an image that expires for a release', async () => {
    const { digest } = await publish('48h');
    expect((await planFor('push')).variants).toContain('standard');
    // Also when somebody set the tag by hand.
    const host = machine();
    const plan = await buildPlan(host, { root, variant: 'standard' });
    const { registry, repository } = parseImageRef(plan.repository);
    await createRegistry(host).moveTag({ registry, repository, tag: inputTag(plan) }, digest);
    expect((await planFor('push')).variants).toContain('standard');
  });
});

describe('a frozen plan', () => {
  const freeze = async () => {
    const file = join(root, 'plan.json');
    const { frozen } = await planFor('push');
    await writeFile(file, JSON.stringify(frozen));
    return { file, frozen };
  };

  it('thaws to the same plan on a machine whose shallow clone tells another date', async () => {
    const { file, frozen } = await freeze();
    const thawed = await thawPlan(machine({}, head, '1760000000'), { root, variant: 'standard', file });
    expect(thawed).toEqual(frozen.plans.find(({ variant }) => variant === 'standard'));
  });

  it('refuses a work tree with other files, another commit, and an edited plan', async () => {
    const { file } = await freeze();
    const thaw = (host = machine()) => thawPlan(host, { root, variant: 'standard', file });
    await expect(thaw(machine({}, 'b'.repeat(40)))).rejects.toMatchObject({
      code: 'ci/plan-differs',
      facts: { found: `commit ${'b'.repeat(40)}` },
    });
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replaceAll(`${server.host}/`, 'quay.io/'));
    await expect(thaw()).rejects.toMatchObject({
      code: 'ci/plan-differs',
      facts: { found: expect.stringMatching(/repository/) as unknown },
    });
    await writeFile(file, text);
    await writeFile(join(root, 'images/standard/rootfs/etc/openshell/policy.yaml'), 'version: 1\n');
    await expect(thaw()).rejects.toMatchObject({ facts: { found: expect.stringMatching(/context/) as unknown } });
  });

  it('is refused when it is no plan, or lacks the variant', async () => {
    const { file } = await freeze();
    const thaw = (variant: string) => thawPlan(machine(), { root, variant, file });
    await expect(thaw('unheard-of')).rejects.toMatchObject({ code: 'ci/plan-file' });
    for (const text of ['', '{}', '[]', '{"version":2,"plans":[],"unchanged":[]}']) {
      await writeFile(file, text);
      await expect(thaw('standard')).rejects.toMatchObject({ code: 'ci/plan-file' });
    }
  });
});

describe('outputs of a step', () => {
  it('are added to what is there', async () => {
    const host = machine(await runner(root, 'push'));
    await setOutputs(host, { one: '1' });
    await setOutputs(host, { two: '{"a":[]}' });
    expect(await readFile(join(root, 'output'), 'utf8')).toBe('one=1\ntwo={"a":[]}\n');
  });

  it('cannot smuggle in another output', async () => {
    const host = machine(await runner(root, 'push'));
    await expect(setOutputs(host, { one: '1\npush=release' })).rejects.toMatchObject({ code: 'ci/output' });
    expect(await readFile(join(root, 'output'), 'utf8')).toBe('');
  });
});
