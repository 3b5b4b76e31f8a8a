import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { labelNames, parseIndex, type Plan } from '../../src/core/index.ts';
import { AppErrors } from '../../src/errors/index.ts';
import { builtLayout } from '../../src/flows/build/index.ts';
import { readEvidence, type Build, type Run } from '../../src/evidence/index.ts';
import { joinLayouts } from '../../src/flows/join.ts';
import { buildPlan } from '../../src/flows/plan.ts';
import { openLayout, validateLayout } from '../../src/oci/index.ts';
import { fakeHost } from '../support/fake-host.ts';
import { machine, part, seenWell, workTree } from './stage.ts';

const host = fakeHost();
let root: string;
let plan: Plan;
let layout: string;
beforeEach(async () => {
  root = await workTree();
  plan = await buildPlan(machine(), { root, variant: 'openshell-claude' });
  layout = join(root, 'dist/openshell-claude');
});

const both = async () => [
  await part(root, 'arm64', plan, 'linux/arm64'),
  await part(root, 'amd64', plan, 'linux/amd64'),
];
const refusal = async (from: readonly string[], expires?: string) => {
  const options = { plan, layout, from, ...(expires === undefined ? {} : { expires }) };
  const error: unknown = await joinLayouts(host, options).then(
    () => undefined,
    (caught: unknown) => caught,
  );
  const all = error instanceof AppErrors ? error.errors : [error as AppErrors];
  return all.map(({ code, message, facts }) => ({ code, message, ...facts }));
};

const docker = { product: 'Docker Engine', version: '28.3.2' };
const podman = { product: 'Podman Engine', version: '5.4.0' };

describe('who built the platforms', () => {
  const parts = async () => [
    await part(root, 'amd64', plan, 'linux/amd64', { engine: docker }),
    await part(root, 'arm64', plan, 'linux/arm64', { engine: podman }),
  ];
  /** What the joined layout's evidence says, in the order of the platforms. */
  const recorded = async (from: readonly string[]) => {
    const { digest } = await joinLayouts(host, { plan, layout, from });
    const evidence = (await readEvidence(host, layout))?.evidence;
    expect(evidence?.digest).toBe(digest);
    return evidence?.builds.map(({ platform, engine }) => [platform, engine]);
  };
  /** Changes the record that one machine left. */
  const forge = (directory: string, change: (record: { digest: string; builds: Build[]; runs: Run[] }) => unknown) => {
    const file = join(directory, 'evidence.json');
    writeFileSync(file, JSON.stringify(change(JSON.parse(readFileSync(file, 'utf8')) as never)));
  };

  it('goes with the index, each platform with its own engine', async () => {
    expect(await recorded(await parts())).toEqual([
      ['linux/amd64', docker],
      ['linux/arm64', podman],
    ]);
  });

  it('is absent for the platform whose machine wrote nothing down, and is not guessed from the other', async () => {
    const [amd = ''] = await parts();
    const silent = await part(root, 'silent', plan, 'linux/arm64');
    expect(await recorded([amd, silent])).toEqual([['linux/amd64', docker]]);
  });

  it('is not what an earlier build of the same layout said', async () => {
    await recorded(await parts());
    const silent = [await part(root, 'one', plan, 'linux/amd64'), await part(root, 'two', plan, 'linux/arm64')];
    expect(await recorded(silent)).toEqual([]);
  });

  const hostile: [string, (build: Build) => unknown][] = [
    ['a line break in the engine’s name', (build) => ({ ...build, engine: { ...docker, product: 'Docker\nEngine' } })],
    ['a page of text', (build) => ({ ...build, engine: { ...docker, version: '1'.repeat(121) } })],
    ['more than was asked for', (build) => ({ ...build, builder: 'https://github.com/o/r' })],
    ['another platform', (build) => ({ ...build, platform: 'linux/s390x' })],
    ['another image', (build) => ({ ...build, manifest: plan.base.digest })],
    ['the other platform’s name', (build) => ({ ...build, platform: 'linux/arm64' })],
  ];
  it.each(hostile)('is refused with %s', async (_what, change) => {
    const [amd = '', arm = ''] = await parts();
    forge(amd, (record) => ({ ...record, builds: record.builds.map(change) }));
    const [problem] = await refusal([amd, arm]);
    expect(problem?.code).toMatch(/^(?:join\/part|evidence\/malformed)$/);
    expect(problem?.where?.file).toContain(amd);
  });

  it('goes along with what each machine saw when it started its image, about exactly these bytes', async () => {
    const amd = await part(root, 'amd64', plan, 'linux/amd64', { engine: docker, run: seenWell });
    const arm = await part(root, 'arm64', plan, 'linux/arm64', { engine: podman, run: seenWell });
    await joinLayouts(host, { plan, layout, from: [amd, arm] });
    const evidence = (await readEvidence(host, layout))?.evidence;
    const manifests = evidence?.platforms.map(({ manifest }) => manifest);
    expect(evidence?.runs.map(({ manifest, checks }) => [manifest, checks])).toEqual(
      manifests?.map((manifest) => [manifest, seenWell.checks]),
    );
    forge(arm, (record) => ({ ...record, runs: record.runs.map((run) => ({ ...run, manifest: plan.base.digest })) }));
    expect(await refusal([amd, arm])).toMatchObject([{ code: 'join/part', where: { file: arm } }]);
  });

  it('is refused when it comes twice, and when the record is about another index', async () => {
    const [amd = '', arm = ''] = await parts();
    forge(amd, (record) => ({ ...record, builds: [...record.builds, ...record.builds] }));
    expect(await refusal([amd, arm])).toMatchObject([{ code: 'evidence/malformed' }]);
    forge(amd, (record) => ({ ...record, builds: [], digest: plan.base.digest }));
    expect(await refusal([amd, arm])).toMatchObject([{ code: 'evidence/other-image', found: plan.base.digest }]);
  });
});

describe('joining layouts', () => {
  it('gives one valid index with every platform, in the platforms’ order, that build takes as its own', async () => {
    const index = await joinLayouts(host, { plan, layout, from: await both() });
    const joined = await openLayout(host, layout);
    const { manifests, annotations } = parseIndex(await joined.read(index));
    expect(manifests.map(({ platform }) => platform?.architecture)).toEqual(['amd64', 'arm64']);
    expect(annotations?.[labelNames.inputDigest]).toBe(plan.inputDigest);
    expect(await validateLayout(host, layout)).toEqual([]);
    expect((await builtLayout(host, layout, plan))?.digest).toBe(index.digest);
  });

  it('gives the same index whatever the order of the parts', async () => {
    const from = await both();
    const one = await joinLayouts(host, { plan, layout, from });
    const other = await joinLayouts(host, { plan, layout: join(root, 'other'), from: from.toReversed() });
    expect(other).toEqual(one);
  });

  it('keeps nothing of what lay in the layout before', async () => {
    await part(root, 'dist/openshell-claude', plan, 'linux/amd64', { body: 'of yesterday' });
    await joinLayouts(host, { plan, layout, from: await both() });
    // Two layers, two configs, two manifests, one index.
    expect(readdirSync(join(layout, 'blobs/sha256'))).toHaveLength(7);
  });

  it('names the platform that nobody built', async () => {
    expect(await refusal([await part(root, 'amd64', plan, 'linux/amd64')])).toMatchObject([
      { code: 'join/missing-platform', message: 'no layout holds linux/arm64' },
    ]);
  });

  it('refuses a platform that comes twice, and the missing one in the same breath', async () => {
    const one = await part(root, 'one', plan, 'linux/amd64');
    const two = await part(root, 'two', plan, 'linux/amd64', { body: 'another build' });
    expect((await refusal([one, two])).map(({ message }) => message)).toEqual([
      'linux/amd64 comes twice',
      'no layout holds linux/arm64',
    ]);
  });

  it('refuses a part that was built from other inputs', async () => {
    const changed = { ...plan, buildArgs: { ...plan.buildArgs, INPUT_DIGEST: plan.base.digest } };
    const other = await part(root, 'arm64', changed, 'linux/arm64');
    const own = await part(root, 'amd64', plan, 'linux/amd64');
    expect(await refusal([own, other])).toMatchObject([
      { message: 'the layout was built from other inputs', expected: plan.inputDigest, found: plan.base.digest },
    ]);
  });

  it('refuses an image whose config is for another platform than the index says', async () => {
    const [arm] = await both();
    const wrong = await part(root, 'wrong', plan, 'linux/amd64', { architecture: 'arm64' });
    expect(await refusal([arm ?? '', wrong])).toMatchObject([
      { message: 'an index states another platform than the image itself', found: 'linux/amd64' },
    ]);
  });

  it.each([
    ['revision', { [labelNames.revision]: 'b'.repeat(40) }],
    ['lab', { [labelNames.lab]: 'true' }],
    ['variant', { [labelNames.variant]: 'standard' }],
  ])('refuses platforms that differ in the label %s', async (name, labels) => {
    const own = await part(root, 'amd64', plan, 'linux/amd64');
    const other = await part(root, 'arm64', plan, 'linux/arm64', { labels });
    const [problem] = await refusal([own, other]);
    expect(problem?.message).toContain(name);
    expect(problem?.where?.file).toBe(other);
  });

  it('demands the expiry on every platform, since an index expires only with all of them', async () => {
    const amd = await part(root, 'amd64', plan, 'linux/amd64', { expires: '48h' });
    const arm = await part(root, 'arm64', plan, 'linux/arm64');
    expect(await refusal([amd, arm], '48h')).toMatchObject([{ found: 'no such label', where: { file: arm } }]);
    const armToo = await part(root, 'arm64-too', plan, 'linux/arm64', { expires: '48h' });
    const index = await joinLayouts(host, { plan, layout, from: [amd, armToo], expires: '48h' });
    const { annotations } = parseIndex(await (await openLayout(host, layout)).read(index));
    expect(annotations?.[labelNames.expires]).toBe('48h');
    // What expires is not taken for the image that stays.
    expect(await builtLayout(host, layout, plan)).toBeUndefined();
  });

  it('refuses a part that expires when the image is to stay', async () => {
    const arm = await part(root, 'arm64', plan, 'linux/arm64', { expires: '48h' });
    const amd = await part(root, 'amd64', plan, 'linux/amd64', { expires: '48h' });
    expect((await refusal([amd, arm])).map(({ found }) => found)).toEqual(['48h', '48h']);
  });

  it('refuses changed bytes of an artifact, and leaves no index that names them', async () => {
    const [arm = '', amd = ''] = await both();
    const blobs = join(arm, 'blobs/sha256');
    const layer = readdirSync(blobs).find((name) => readFileSync(join(blobs, name))[0] === 0x1f) ?? '';
    const bytes = readFileSync(join(blobs, layer));
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    writeFileSync(join(blobs, layer), bytes);
    await expect(joinLayouts(host, { plan, layout, from: [arm, amd] })).rejects.toMatchObject({
      code: 'oci/digest-mismatch',
    });
    expect(await host.files.stat(join(layout, 'index.json'))).toBeUndefined();
  });
});
