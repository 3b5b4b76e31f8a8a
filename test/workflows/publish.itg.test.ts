import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestOf, parseImageRef, parseIndex, platforms, type Descriptor, type Plan } from '../../src/core/index.ts';
import { inputTag } from '../../src/flows/build/index.ts';
import { publishedDigests, tagVariant } from '../../src/flows/ci/index.ts';
import { judgeRuns, readEvidence, type Evidence, type Run } from '../../src/evidence/index.ts';
import { publish, rehearse, type Gating } from '../../src/flows/publish/index.ts';
import { joinLayouts } from '../../src/flows/join.ts';
import { buildPlan } from '../../src/flows/plan.ts';
import { openLayout } from '../../src/oci/index.ts';
import { createRegistry } from '../../src/registry/index.ts';
import { startMemoryRegistry, type MemoryRegistry } from '../support/registries/memory-registry.ts';
import { proof } from './proof.ts';
import { gated, machine, part, seenWell, workTree } from './stage.ts';

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

const engine = { product: 'Docker Engine', version: '28.3.2' };
async function joined(
  expires?: string,
  started: readonly string[] = platforms,
): Promise<{ index: Descriptor; children: readonly Descriptor[] }> {
  const options = expires === undefined ? {} : { expires };
  const from = [];
  for (const platform of plan.platforms) {
    const seen = started.includes(platform) ? { run: seenWell } : {};
    from.push(await part(root, platform.slice(6), plan, platform, { ...options, engine, ...seen }));
  }
  const index = await joinLayouts(host, { plan, layout, from, ...options });
  return { index, children: parseIndex(await (await openLayout(host, layout)).read(index)).manifests };
}
async function save(name: string, value: unknown): Promise<string> {
  await writeFile(join(root, name), JSON.stringify(value));
  return join(root, name);
}
/** Evidence of the index with a gate that passed, as the gate's job hands it on. */
const passed = async (change: object = {}) => save('gate.json', { ...(await gated(layout)), ...change });
const nothingUnchanged = () => save('plan.json', { version: 1, plans: [], unchanged: [] });
const manifestsThere = () =>
  server.log.filter((line) => /^PUT .*\/manifests\//.test(line)).map((line) => line.split('/').at(-1));

describe('the gate over what native machines saw', () => {
  const evidence: Pick<Evidence, 'platforms' | 'runs'> = {
    platforms: platforms.map((platform) => ({ platform, manifest: digestOf(platform) })),
    runs: platforms.map((platform) => ({ platform, manifest: digestOf(platform), at: '', ...seenWell })),
  };

  it('opens when each manifest was started natively and found well', () => {
    expect(judgeRuns(evidence)).toEqual([]);
  });

  const cases: [string, (runs: Run[]) => (Run | undefined)[], RegExp][] = [
    ['a platform that was not started', ([amd]) => [amd], /no run of linux\/arm64 is recorded/],
    ['errors', ([amd, arm]) => [amd, arm && { ...arm, errors: 2 }], /linux\/arm64 failed its checks/],
    ['a run of other bytes', ([amd, arm]) => [amd, arm && { ...arm, manifest: digestOf('other') }], /no run of/],
    ['a suite that did not run', ([amd, arm]) => [amd, arm && { ...arm, checks: [] }], /no check saw/],
    [
      'a suite that saw nothing',
      ([amd, arm]) => [amd, arm && { ...arm, checks: [{ check: 'probe/health', state: 'unobserved' }] }],
      /no check saw/,
    ],
    [
      'a check that failed beside one that passed',
      ([amd, arm]) => [amd, arm && { ...arm, checks: [...arm.checks, { check: 'probe/run', state: 'failed' }] }],
      /failed its checks: 0 errors; failed: probe\/run/,
    ],
  ];
  it.each(cases)('stays closed on %s', (_what, spoil, message) => {
    const runs = spoil([...evidence.runs]).flatMap((run) => (run === undefined ? [] : [run]));
    expect(judgeRuns({ ...evidence, runs }).join('\n')).toMatch(message);
  });

  const recordedRuns = (): Gating => ({ $case: 'recorded-runs', check: { root, registry, version: '0' } });

  it('stays closed for an image that breaks the contract, however well it ran, exits with 1, and is on record', async () => {
    const { index } = await joined();
    await expect(rehearse(host, { plan, layout, gate: recordedRuns() })).rejects.toMatchObject({
      code: 'publish/gate',
      exit: 1,
      facts: { found: expect.not.stringContaining('no run of') as unknown },
    });
    const gate = (await readEvidence(host, layout))?.evidence.gate;
    expect(gate).toMatchObject({
      passed: false,
      broken: expect.arrayContaining(['contract/required-path']) as unknown,
    });
    // What was closed is not overruled: not by saying so, and not by evidence of another machine.
    for (const gating of [{ $case: 'skipped' }, { $case: 'recorded', evidence: await passedElsewhere() }] as const)
      await expect(
        publish(host, { plan, layout, registry, repository: plan.repository, tags: 'none', gate: gating }),
      ).rejects.toMatchObject({ code: 'publish/gate', exit: 1 });
    expect(server.log).toEqual([]);
    expect((await readEvidence(host, layout))?.evidence.digest).toBe(index.digest);
  });
  const passedElsewhere = async () => {
    const { gate, ...rest } = (await readEvidence(host, layout))?.evidence ?? {};
    return await save('elsewhere.json', { ...rest, gate: { ...gate, passed: true } });
  };

  it('stays closed for a platform that was not started, and names it', async () => {
    await joined(undefined, ['linux/amd64']);
    await expect(rehearse(host, { plan, layout, gate: recordedRuns() })).rejects.toMatchObject({
      code: 'publish/gate',
      facts: { found: expect.stringContaining('no run of linux/arm64 is recorded') as unknown },
    });
  });

  it('is not held over a layout that lacks a platform, or whose evidence cannot be read', async () => {
    const one = await part(root, 'dist/standard', plan, 'linux/amd64', { engine, run: seenWell });
    await expect(rehearse(host, { plan, layout: one, gate: recordedRuns() })).rejects.toMatchObject({
      code: 'publish/incomplete',
      exit: 2,
    });
    await joined();
    await writeFile(join(layout, 'evidence.json'), JSON.stringify({ version: 2, errors: 0 }));
    await expect(rehearse(host, { plan, layout, gate: recordedRuns() })).rejects.toMatchObject({
      code: 'evidence/malformed',
    });
    // A damaged file may have said that the gate was closed.
    const gate = { $case: 'skipped' } as const;
    const options = { plan, layout, registry, repository: plan.repository, tags: 'none', gate } as const;
    await expect(publish(host, options)).rejects.toMatchObject({ code: 'evidence/malformed' });
    expect(server.log).toEqual([]);
  });
});

/** As build.yml pushes: what the evidence says passed, by digest only. */
const publishGated = async (evidence: string) =>
  await publish(host, {
    plan,
    layout,
    registry,
    repository: plan.repository,
    tags: 'none',
    gate: { $case: 'recorded', evidence },
  });

describe('publishing', () => {
  it('pushes what passed the gate by digest, and not a single tag, and the evidence says so', async () => {
    const { index } = await joined();
    const { reference, evidence } = await publishGated(await passed());
    expect(reference).toBe(`${plan.repository}@${index.digest}`);
    expect(manifestsThere().every((name) => name?.startsWith('sha256:'))).toBe(true);
    expect(manifestsThere()).toHaveLength(3);
    expect(evidence.publications).toMatchObject([{ reference, tags: [] }]);
  });

  it('lets nothing out that is not the very index of the gate', async () => {
    const { index, children } = await joined();
    const gate = { passed: false, at: '2026-01-02T03:04:05.000Z', errors: 1, warnings: 0, waived: 0, broken: ['x/y'] };
    const cases: [object, string, number][] = [
      [{ digest: children[0]?.digest ?? index.digest }, 'evidence/other-image', 2],
      [{ variant: 'openshell' }, 'publish/not-gated', 1],
      [{ gate }, 'trust/gate-closed', 1],
      [{ gate: undefined }, 'trust/no-gate', 2],
      [{ surprise: 1 }, 'evidence/malformed', 2],
    ];
    for (const [change, code, exit] of cases)
      await expect(publishGated(await passed(change)), code).rejects.toMatchObject({ code, exit });
    await expect(publishGated(join(root, 'nowhere.json'))).rejects.toMatchObject({ code: 'evidence/malformed' });
    expect(server.log).toEqual([]);
  });
});

describe('what is told to the jobs that sign', () => {
  const gates = async (change: Partial<Evidence> = {}, variant = 'standard') => {
    await mkdir(join(root, `gates/gate-${variant}`), { recursive: true });
    await save(`gates/gate-${variant}/evidence.json`, { ...(await gated(layout)), ...change });
    return join(root, 'gates');
  };
  const frozen = (plans: readonly Plan[] = [plan], unchanged: readonly object[] = []) =>
    save('plan.json', { version: 1, plans, unchanged });

  it('is each index that passed and was pushed, with its repository', async () => {
    const { index } = await joined();
    await publishGated(await passed());
    const options = { frozen: await frozen(), evidence: await gates(), registry };
    expect(await publishedDigests(host, options)).toEqual([{ repository: plan.repository, digest: index.digest }]);
  });

  it('is nothing that was not pushed, was made from other inputs, expires, or has no record', async () => {
    await joined();
    const unpushed = { frozen: await frozen(), evidence: await gates(), registry };
    await expect(publishedDigests(host, unpushed)).rejects.toMatchObject({ code: 'registry/not-found' });
    await publishGated(await passed());
    const other = { ...unpushed, frozen: await frozen([{ ...plan, inputDigest: plan.base.digest }]) };
    await expect(publishedDigests(host, other)).rejects.toMatchObject({ code: 'ci/digests', exit: 1 });
    const missing = { ...unpushed, frozen: await frozen([plan, { ...plan, variant: 'openshell' }]) };
    await expect(publishedDigests(host, missing)).rejects.toMatchObject({
      message: 'openshell: 0 files of evidence',
    });
    const known = await frozen([plan], [{ variant: 'standard', reference: 'x' }]);
    await expect(publishedDigests(host, { ...unpushed, frozen: known })).rejects.toMatchObject({ code: 'ci/digests' });
    const closed = { ...unpushed, evidence: await gates({ gate: undefined }) };
    await expect(publishedDigests(host, closed)).rejects.toMatchObject({ code: 'trust/no-gate' });
    await joined('48h');
    await publishGated(await passed());
    const short = { frozen: await frozen(), evidence: await gates(), registry };
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
    const evidence = await passed();
    await publishGated(evidence);
    await sign(host, registry, plan, index.digest);
    server.log.length = 0;
    await tagVariant(host, {
      plan,
      tags: ['abc', 'latest'],
      evidence,
      frozen: await nothingUnchanged(),
      registry,
      verifier,
    });
    expect(manifestsThere()).toEqual(['abc', 'latest', inputTag(plan)]);
  });

  it('of an image that lasts stay put without a signature on every node, or without anybody to believe', async () => {
    const { index, children } = await joined();
    const evidence = await passed();
    await publishGated(evidence);
    const given = { plan, tags: ['latest'], evidence, frozen: await nothingUnchanged(), registry };
    await expect(tagVariant(host, given)).rejects.toMatchObject({ code: 'ci/no-policy', exit: 2 });
    await sign(host, registry, plan, children[0]?.digest ?? index.digest);
    await expect(tagVariant(host, { ...given, verifier })).rejects.toMatchObject({ code: 'trust/unverified', exit: 1 });
    expect((await tagsOf()).filter((tag) => !tag.startsWith('sha256-'))).toEqual([]);
  });

  it('of an image that expires are the given ones only', async () => {
    await joined('48h');
    const evidence = await passed();
    await publishGated(evidence);
    await tagVariant(host, { plan, tags: ['pr-7'], evidence, frozen: await nothingUnchanged(), registry });
    expect(await tagsOf()).toEqual(['pr-7']);
  });

  it('move to what was published before when the inputs are the same: a rollback builds nothing', async () => {
    const { index } = await joined();
    const { reference } = await publishGated(await passed());
    await sign(host, registry, plan, index.digest);
    const frozen = await save('plan.json', { version: 1, plans: [], unchanged: [{ variant: 'standard', reference }] });
    const { moves } = await tagVariant(host, { plan, tags: ['latest'], frozen, registry, verifier });
    expect(moves.map(({ tag, after }) => [tag, after])).toEqual([
      ['latest', index.digest],
      [inputTag(plan), index.digest],
    ]);
  });

  it('stay where they are when nothing says which image is meant, or it is another one', async () => {
    await joined();
    const { reference } = await publishGated(await passed());
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
