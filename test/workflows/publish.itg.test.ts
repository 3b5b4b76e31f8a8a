import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  digestOf,
  mediaTypes,
  parseImageRef,
  parseIndex,
  platforms,
  toOciPlatform,
  type Descriptor,
  type Plan,
} from '../../src/core/index.ts';
import { inputTag } from '../../src/flows/build/index.ts';
import {
  gateVariant,
  judgeRecords,
  publishedDigests,
  publishGated,
  tagVariant,
  type CheckRecord,
  type GateRecord,
} from '../../src/flows/ci/index.ts';
import { joinLayouts } from '../../src/flows/join.ts';
import { buildPlan } from '../../src/flows/plan.ts';
import { openLayout } from '../../src/oci/index.ts';
import { createRegistry } from '../../src/registry/index.ts';
import { startMemoryRegistry, type MemoryRegistry } from '../support/registries/memory-registry.ts';
import { proof } from './proof.ts';
import { machine, part, workTree } from './stage.ts';

let server: MemoryRegistry;
let root: string;
let plan: Plan;
let layout: string;
const host = machine();
const registry = createRegistry(host);
const { sign, verifier } = await proof();
beforeEach(async () => {
  server = await startMemoryRegistry();
  root = await workTree(server.host);
  plan = await buildPlan(host, { root, variant: 'standard' });
  layout = join(root, 'dist/standard');
});
afterEach(() => server.close());

async function joined(expires?: string): Promise<{ index: Descriptor; children: readonly Descriptor[] }> {
  const options = expires === undefined ? {} : { expires };
  const from = [];
  for (const platform of plan.platforms) from.push(await part(root, platform.slice(6), plan, platform, options));
  const index = await joinLayouts(host, { plan, layout, from, ...options });
  return { index, children: parseIndex(await (await openLayout(host, layout)).read(index)).manifests };
}
const seen = (children: readonly Descriptor[]): CheckRecord[] =>
  platforms.map((platform, index) => ({
    version: 1,
    variant: 'standard',
    platform,
    manifest: children[index]?.digest ?? digestOf('absent'),
    errors: 0,
    checks: [{ check: 'probe/health', state: 'passed' }],
  }));
async function save(name: string, value: unknown): Promise<string> {
  await writeFile(join(root, name), JSON.stringify(value));
  return join(root, name);
}
const passed = (index: Descriptor, variant = 'standard') =>
  save('gate.json', { version: 1, variant, digest: index.digest, builds: [] } satisfies GateRecord);
const nothingUnchanged = () => save('plan.json', { version: 1, plans: [], unchanged: [] });
const manifestsThere = () =>
  server.log.filter((line) => /^PUT .*\/manifests\//.test(line)).map((line) => line.split('/').at(-1));

describe('the gate over all platforms', () => {
  const children: readonly Descriptor[] = platforms.map((platform) => ({
    mediaType: mediaTypes.manifest,
    digest: digestOf(platform),
    size: 1,
    platform: toOciPlatform(platform),
  }));

  it('opens when each manifest was started natively and found well', () => {
    expect(judgeRecords({ variant: 'standard', platforms }, children, seen(children))).toEqual([]);
  });

  const cases: [string, (records: CheckRecord[]) => (CheckRecord | undefined)[], RegExp][] = [
    ['a platform that nobody started', ([amd]) => [amd], /nobody started standard linux\/arm64/],
    ['errors', ([amd, arm]) => [amd, arm && { ...arm, errors: 2 }], /linux\/arm64 failed its checks/],
    [
      'a record of other bytes',
      ([amd, arm]) => [amd, arm && { ...arm, manifest: digestOf('other') }],
      /nobody started/,
    ],
    ['a record of another variant', ([amd, arm]) => [amd, arm && { ...arm, variant: 'openshell' }], /nobody started/],
    ['a suite that did not run', ([amd, arm]) => [amd, arm && { ...arm, checks: [] }], /no check saw/],
    [
      'a suite that saw nothing',
      ([amd, arm]) => [amd, arm && { ...arm, checks: [{ check: 'probe/health', state: 'unobserved' }] }],
      /no check saw/,
    ],
    [
      'one bad record beside a good one',
      ([amd, arm]) => [amd, arm, arm && { ...arm, checks: [{ check: 'probe/health', state: 'failed' }] }],
      /failed its checks/,
    ],
  ];
  it.each(cases)('stays closed on %s', (_what, spoil, message) => {
    const records = spoil(seen(children)).flatMap((record) => (record === undefined ? [] : [record]));
    const problems = judgeRecords({ variant: 'standard', platforms }, children, records);
    expect(problems.map((problem) => problem.message).join('\n')).toMatch(message);
    expect(new Set(problems.map(({ exit }) => exit))).toEqual(new Set([1]));
  });

  it('stays closed when the index lacks a platform of the plan', () => {
    const [problem] = judgeRecords({ variant: 'standard', platforms }, children.slice(0, 1), seen(children));
    expect(problem?.message).toMatch(/the index lacks linux\/arm64/);
  });

  it('stays closed for an image that breaks the contract, however well it ran, and exits with 1', async () => {
    const records = await Promise.all(
      seen((await joined()).children).map((record) => save(`${record.platform.slice(6)}.json`, record)),
    );
    const options = { root, plan, layout, records, registry, version: '0' };
    await expect(gateVariant(host, options)).rejects.toMatchObject({
      code: 'ci/gate',
      exit: 1,
      facts: { found: expect.stringContaining('contract/') as unknown },
    });
  });

  it('reads no record that is not one', async () => {
    await joined();
    const records = [await save('bad.json', { version: 1, errors: 0 })];
    await expect(gateVariant(host, { root, plan, layout, records, registry, version: '0' })).rejects.toMatchObject({
      code: 'ci/record',
    });
  });
});

describe('publishing', () => {
  it('pushes what passed the gate by digest, and not a single tag', async () => {
    const { index } = await joined();
    const { reference } = await publishGated(host, { plan, layout, registry, gate: await passed(index) });
    expect(reference).toBe(`${plan.repository}@${index.digest}`);
    expect(manifestsThere().every((name) => name?.startsWith('sha256:'))).toBe(true);
    expect(manifestsThere()).toHaveLength(3);
  });

  it('lets nothing out that is not the very index of the gate', async () => {
    const { index, children } = await joined();
    const child = children[0] ?? index;
    for (const [named, variant] of [
      [child, 'standard'],
      [index, 'openshell'],
    ] as const) {
      const gate = await passed(named, variant);
      await expect(publishGated(host, { plan, layout, registry, gate })).rejects.toMatchObject({
        code: 'ci/not-gated',
        exit: 1,
      });
    }
    expect(server.log).toEqual([]);
  });
});

describe('what is told to the jobs that sign', () => {
  const gates = async (digest: string, variant = 'standard') => {
    await mkdir(join(root, `gates/gate-${variant}`), { recursive: true });
    await save(`gates/gate-${variant}/gate.json`, { version: 1, variant, digest });
    return join(root, 'gates');
  };
  const frozen = (plans: readonly Plan[] = [plan], unchanged: readonly object[] = []) =>
    save('plan.json', { version: 1, plans, unchanged });

  it('is each index that passed and was pushed, with its repository', async () => {
    const { index } = await joined();
    await publishGated(host, { plan, layout, registry, gate: await passed(index) });
    const options = { frozen: await frozen(), gates: await gates(index.digest), registry };
    expect(await publishedDigests(host, options)).toEqual([{ repository: plan.repository, digest: index.digest }]);
  });

  it('is nothing that was not pushed, was made from other inputs, expires, or has no record', async () => {
    const { index } = await joined();
    const unpushed = { frozen: await frozen(), gates: await gates(index.digest), registry };
    await expect(publishedDigests(host, unpushed)).rejects.toMatchObject({ code: 'registry/not-found' });
    await publishGated(host, { plan, layout, registry, gate: await passed(index) });
    const other = { ...unpushed, frozen: await frozen([{ ...plan, inputDigest: plan.base.digest }]) };
    await expect(publishedDigests(host, other)).rejects.toMatchObject({ code: 'ci/digests', exit: 1 });
    const missing = { ...unpushed, frozen: await frozen([plan, { ...plan, variant: 'openshell' }]) };
    await expect(publishedDigests(host, missing)).rejects.toMatchObject({
      message: 'openshell: 0 records of its gate',
    });
    const known = await frozen([plan], [{ variant: 'standard', reference: 'x' }]);
    await expect(publishedDigests(host, { ...unpushed, frozen: known })).rejects.toMatchObject({ code: 'ci/digests' });
    const expiring = await joined('48h');
    await publishGated(host, { plan, layout, registry, gate: await passed(expiring.index) });
    const short = { frozen: await frozen(), gates: await gates(expiring.index.digest), registry };
    await expect(publishedDigests(host, short)).rejects.toMatchObject({ message: 'standard expires' });
  });
});

describe('tags', () => {
  const tagsOf = async () => {
    const { registry: at, repository } = parseImageRef(plan.repository);
    return (await registry.tags({ registry: at, repository })).sort();
  };

  it('move last, and the one of the inputs after all others', async () => {
    const { index } = await joined();
    const gate = await passed(index);
    await publishGated(host, { plan, layout, registry, gate });
    await sign(host, registry, plan, index.digest);
    server.log.length = 0;
    await tagVariant(host, {
      plan,
      tags: ['abc', 'latest'],
      gate,
      frozen: await nothingUnchanged(),
      registry,
      verifier,
    });
    expect(manifestsThere()).toEqual(['abc', 'latest', inputTag(plan)]);
  });

  it('of an image that lasts stay put without a signature on every node, or without anybody to believe', async () => {
    const { index, children } = await joined();
    const gate = await passed(index);
    await publishGated(host, { plan, layout, registry, gate });
    const given = { plan, tags: ['latest'], gate, frozen: await nothingUnchanged(), registry };
    await expect(tagVariant(host, given)).rejects.toMatchObject({ code: 'ci/no-policy', exit: 2 });
    await sign(host, registry, plan, children[0]?.digest ?? index.digest);
    await expect(tagVariant(host, { ...given, verifier })).rejects.toMatchObject({ code: 'trust/unverified', exit: 1 });
    expect((await tagsOf()).filter((tag) => !tag.startsWith('sha256-'))).toEqual([]);
  });

  it('of an image that expires are the given ones only', async () => {
    const { index } = await joined('48h');
    const gate = await passed(index);
    await publishGated(host, { plan, layout, registry, gate });
    await tagVariant(host, { plan, tags: ['pr-7'], gate, frozen: await nothingUnchanged(), registry });
    expect(await tagsOf()).toEqual(['pr-7']);
  });

  it('move to what was published before when the inputs are the same: a rollback builds nothing', async () => {
    const { index } = await joined();
    const { reference } = await publishGated(host, { plan, layout, registry, gate: await passed(index) });
    await sign(host, registry, plan, index.digest);
    const frozen = await save('plan.json', { version: 1, plans: [], unchanged: [{ variant: 'standard', reference }] });
    const { moves } = await tagVariant(host, { plan, tags: ['latest'], frozen, registry, verifier });
    expect(moves.map(({ tag, after }) => [tag, after])).toEqual([
      ['latest', index.digest],
      [inputTag(plan), index.digest],
    ]);
  });

  it('stay where they are when nothing says which image is meant, or it is another one', async () => {
    const { index } = await joined();
    const { reference } = await publishGated(host, { plan, layout, registry, gate: await passed(index) });
    const none = tagVariant(host, { plan, tags: ['latest'], frozen: await nothingUnchanged(), registry });
    await expect(none).rejects.toMatchObject({ code: 'ci/nothing-to-tag' });
    const frozen = await save('plan.json', { version: 1, plans: [], unchanged: [{ variant: 'standard', reference }] });
    const other = { ...plan, inputDigest: plan.base.digest };
    await expect(tagVariant(host, { plan: other, tags: ['latest'], frozen, registry })).rejects.toMatchObject({
      code: 'ci/not-planned',
    });
    expect(await tagsOf()).toEqual([]);
  });
});
