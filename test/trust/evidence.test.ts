import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf, labelNames, type Digest, type Platform } from '../../src/core/index.ts';
import {
  beginEvidence,
  buildBy,
  builtBy,
  demandGate,
  demandReason,
  demandSameImages,
  evidenceFile,
  extendEvidence,
  findEvidence,
  openEvidence,
  readEvidence,
  refuseLab,
  runsOf,
  withAttachments,
  withPublication,
  withRuns,
  writeEvidence,
  type Evidence,
  type Gate,
} from '../../src/evidence/index.ts';
import { openBuilt, requireInputs } from '../../src/flows/built.ts';
import type { CheckResult } from '../../src/flows/check/index.ts';
import { gateOf } from '../../src/flows/publish/hold.ts';
import { fakeHost } from '../support/fake-host.ts';
import { testPlan } from '../support/sigstore/plan.ts';

const host = fakeHost();
const other = digestOf('another index');
let root: string;
let layout: string;

/** An OCI layout with an index of two platforms; only index.json and the index itself are read. */
async function makeLayout(inputDigest: Digest, name = 'one'): Promise<Digest> {
  const child = (architecture: string) => ({
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: digestOf(`${name} ${architecture}`),
    size: 2,
    platform: { os: 'linux', architecture },
  });
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  const index = JSON.stringify({
    schemaVersion: 2,
    mediaType,
    manifests: [child('amd64'), child('arm64')],
    annotations: { [labelNames.inputDigest]: inputDigest },
  });
  const digest = digestOf(index);
  await mkdir(join(layout, 'blobs/sha256'), { recursive: true });
  await writeFile(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(join(layout, 'blobs/sha256', digest.slice(7)), index);
  const top = { schemaVersion: 2, manifests: [{ mediaType, digest, size: Buffer.byteLength(index) }] };
  await writeFile(join(layout, 'index.json'), JSON.stringify(top));
  return digest;
}

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'evidence-'));
  layout = join(root, 'dist', 'openshell');
});
afterEach(() => rm(root, { recursive: true, force: true }));

const passed: Gate = {
  passed: true,
  at: '2026-01-02T03:04:05.000Z',
  errors: 0,
  warnings: 1,
  waived: 2,
  broken: [],
};

const opened = async () => await openEvidence(host, await openBuilt(host, layout), testPlan);

async function gated(gate: Gate | undefined): Promise<Digest> {
  const digest = await makeLayout(testPlan.inputDigest);
  const { file, evidence } = await opened();
  const checks = [{ check: 'probe/health', state: 'passed' as const }];
  const runs = evidence.platforms.map((image) => ({ ...image, at: passed.at, errors: 0, checks }));
  await writeEvidence(host, { file, evidence: { ...evidence, runs: gate === undefined ? [] : runs, gate } });
  return digest;
}

describe('opening evidence', () => {
  test('it names the index, its platforms, the plan’s pins and who built it', async () => {
    const digest = await makeLayout(testPlan.inputDigest);
    const engine = { product: 'Docker Engine', version: '20.10' };
    const builds = [buildBy(engine, 'linux/amd64', digestOf('one amd64'))];
    const { evidence } = await beginEvidence(host, await openBuilt(host, layout), testPlan, { builds });
    expect(evidence.digest).toBe(digest);
    expect(evidence.platforms.map(({ platform }) => platform)).toEqual(['linux/amd64', 'linux/arm64']);
    expect(evidence.pins.map(({ name }) => name)).toEqual(testPlan.pins.map(({ name }) => name));
    expect(evidence.builds).toEqual([{ platform: 'linux/amd64', manifest: digestOf('one amd64'), engine }]);
    expect(await readEvidence(host, layout)).toEqual({ file: evidenceFile(layout), evidence });
  });

  test('what was seen of the same index stays', async () => {
    await gated(passed);
    const again = await opened();
    expect(again.evidence.gate).toEqual(passed);
  });

  test('what was seen of another index is gone', async () => {
    await gated(passed);
    await makeLayout(testPlan.inputDigest, 'two');
    const again = await opened();
    expect(again.evidence.gate).toBeUndefined();
  });

  test('a layout of other inputs is refused', async () => {
    await makeLayout(other);
    const image = await openBuilt(host, layout);
    expect(() => {
      requireInputs(image, testPlan);
    }).toThrow(expect.objectContaining({ code: 'evidence/other-inputs' }));
  });
});

describe('who built it', () => {
  const engine = (version: string) => ({ product: 'Docker Engine', version });
  const build = (platform: Platform, version = '28.3') => buildBy(engine(version), platform, digestOf(platform));

  test('an engine’s words are kept printable and short', () => {
    const { engine: said } = buildBy({ product: 'Pod\u001b[31mman\n', version: '' }, 'linux/arm64', other);
    expect(said).toEqual({ product: 'Pod?[31mman?', version: 'unknown' });
    const long = buildBy(engine('9'.repeat(500)), 'linux/arm64', other);
    expect(long.engine.version).toHaveLength(120);
  });

  test('is told once when all platforms had the same engine, else with each platform', () => {
    expect(builtBy([])).toBeUndefined();
    expect(builtBy([build('linux/amd64'), build('linux/arm64')])).toBe('Docker Engine 28.3');
    expect(builtBy([build('linux/amd64'), build('linux/arm64', '27.1')])).toBe(
      'Docker Engine 28.3 (linux/amd64), Docker Engine 27.1 (linux/arm64)',
    );
  });

  test('is taken from the evidence that was named; what is no evidence of this index is refused, by its name', async () => {
    const digest = await gated(passed);
    const file = join(root, 'evidence.json');
    const { evidence: record } = await opened();
    const place = { root: join(root, 'elsewhere'), digest, evidence: file };
    await writeFile(file, JSON.stringify({ ...record, builds: [build('linux/amd64')] }));
    expect((await findEvidence(host, place))?.evidence.builds).toEqual([build('linux/amd64')]);
    await expect(findEvidence(host, { ...place, digest: other })).rejects.toMatchObject({
      code: 'evidence/other-image',
    });
    const malformed = [{}, { ...record, version: 1 }, { ...record, more: 1 }, { ...record, gate: { passed: true } }];
    for (const value of malformed) {
      await writeFile(file, JSON.stringify(value));
      await expect(findEvidence(host, place)).rejects.toMatchObject({ code: 'evidence/malformed', exit: 2 });
    }
    expect(await findEvidence(host, { root, digest: other })).toBeUndefined();
  });
});

describe('what was seen of a started image', () => {
  const run = (manifest: Digest) => ({
    ...{ platform: 'linux/amd64' as const, manifest, at: '2026-01-02T03:04:05.000Z', errors: 0 },
    checks: [{ check: 'probe/health', state: 'passed' as const }],
  });

  test('is added to the evidence of exactly this image, the newest for each platform', async () => {
    await gated(undefined);
    const filed = await opened();
    const first = { ...run(digestOf('one amd64')), errors: 1 };
    const once = { ...filed, evidence: withRuns(filed, [first]) };
    expect(withRuns(once, [run(digestOf('one amd64'))]).runs).toEqual([run(digestOf('one amd64'))]);
    expect(() => withRuns(filed, [run(other)])).toThrow(expect.objectContaining({ code: 'evidence/other-image' }));
  });
});

describe('nothing is signed before the gate', () => {
  test('an index that passed is let through', async () => {
    const digest = await gated(passed);
    await expect(demandGate(host, { root, digest })).resolves.toMatchObject({ evidence: { digest } });
  });

  test('without evidence it is refused', async () => {
    await expect(demandGate(host, { root, digest: other })).rejects.toMatchObject({ code: 'trust/no-gate', exit: 2 });
  });

  test('evidence without a gate is not enough', async () => {
    const digest = await gated(undefined);
    await expect(demandGate(host, { root, digest })).rejects.toMatchObject({ code: 'trust/no-gate' });
  });

  test('a gate that stayed closed refuses, and names the rules', async () => {
    const closed = { ...passed, passed: false, errors: 1, broken: ['contract/user-non-root'] };
    const digest = await gated(closed);
    const failed = demandGate(host, { root, digest });
    await expect(failed).rejects.toMatchObject({ code: 'trust/gate-closed', exit: 1 });
    await expect(failed).rejects.toHaveProperty('facts.found', 'contract/user-non-root');
  });

  test('the evidence of another index, given by name, does not count', async () => {
    await gated(passed);
    const evidence = join(layout, 'evidence.json');
    await expect(demandGate(host, { root, digest: other, evidence })).rejects.toMatchObject({
      code: 'evidence/other-image',
    });
  });

  test('a damaged file is no evidence', async () => {
    const digest = await gated(passed);
    const evidence = join(layout, 'evidence.json');
    const text = await readFile(evidence, 'utf8');
    await writeFile(evidence, text.slice(0, -20));
    await expect(demandGate(host, { root, digest, evidence })).rejects.toMatchObject({ code: 'evidence/malformed' });
    await expect(demandGate(host, { root, digest })).rejects.toMatchObject({ code: 'trust/no-gate' });
  });
});

describe('a record that contradicts itself or the image', () => {
  const [amd64, arm64] = [digestOf('one amd64'), digestOf('one arm64')];
  const images = [
    { manifest: amd64, platform: 'linux/amd64' },
    { manifest: arm64, platform: 'linux/arm64/v8' },
  ];

  async function changed(change: (evidence: Evidence) => Partial<Evidence>): Promise<Digest> {
    const digest = await gated(passed);
    const { file, evidence } = await opened();
    await writeEvidence(host, { file, evidence: { ...evidence, ...change(evidence) } });
    return digest;
  }
  const run = (evidence: Evidence, at: number, more: object) =>
    evidence.runs.map((one, index) => (index === at ? { ...one, ...more } : one));

  test.each<[string, (evidence: Evidence) => Partial<Evidence>, string]>([
    ['passed with seven errors', () => ({ gate: { ...passed, errors: 7 } }), 'the gate passed with 7 errors'],
    ['passed and names a rule', () => ({ gate: { ...passed, broken: ['a'] } }), 'the gate passed with 0 errors: a'],
    ['closed without an error', () => ({ gate: { ...passed, passed: false } }), 'names no error'],
    [
      'closed with fewer errors than it names',
      () => ({ gate: { ...passed, passed: false, errors: 1, broken: ['a', 'b'] } }),
      '1 errors are counted, 2 are named',
    ],
    ['of no platform', () => ({ platforms: [], runs: [] }), 'it names no platform'],
    ['without a run of one platform', ({ runs }) => ({ runs: runs.slice(1) }), 'no run of linux/amd64'],
    ['with errors in a run', (all) => ({ runs: run(all, 1, { errors: 2 }) }), 'linux/arm64 failed its checks'],
    ['whose run saw nothing', (all) => ({ runs: run(all, 0, { checks: [] }) }), 'no check saw linux/amd64 pass'],
    ['with the run of another image', (all) => ({ runs: run(all, 0, { manifest: other }) }), 'about another image'],
    [
      'with the build of another image',
      () => ({ builds: [buildBy({ product: 'p', version: '1' }, 'linux/amd64', other)] }),
      'the build of linux/amd64',
    ],
  ])('%s is refused', async (_name, change, found) => {
    const digest = await changed(change);
    const failed = demandGate(host, { root, digest });
    await expect(failed).rejects.toMatchObject({ code: 'trust/gate-record', exit: 2 });
    await expect(failed).rejects.toHaveProperty('facts.found', expect.stringContaining(found));
  });

  test('is held against the images of the index in the registry', async () => {
    const digest = await gated(passed);
    const filed = await demandGate(host, { root, digest });
    const at = { registry: 'quay.io' };
    const judged = (list: typeof images) => () => {
      demandSameImages({ ...filed, evidence: { ...filed.evidence, lab: false } }, { ...at, images: list });
    };
    expect(judged(images)).not.toThrow();
    const refused = expect.objectContaining({ code: 'trust/gate-record' }) as Error;
    expect(judged(images.slice(1))).toThrow(refused);
    expect(judged([...images, { manifest: other, platform: 'linux/s390x' }])).toThrow(refused);
    expect(judged(images.map(({ platform }) => ({ platform, manifest: other })))).toThrow(refused);
    expect(judged(images.map(({ manifest }) => ({ manifest, platform: 'linux/s390x' })))).toThrow(refused);
  });

  test('of a lab’s image is signed on loopback only', async () => {
    const digest = await changed(() => ({ lab: true }));
    const filed = await demandGate(host, { root, digest });
    const judged = (registry: string) => () => {
      refuseLab(filed, { registry });
    };
    expect(judged('127.0.0.1:5000')).not.toThrow();
    expect(judged('quay.io')).toThrow(expect.objectContaining({ code: 'trust/lab', exit: 2 }) as Error);
  });

  test.each(['', '  '])('has no reason for signing without a gate: %j', (reason) => {
    expect(() => {
      demandReason(reason);
    }).toThrow(expect.objectContaining({ code: 'trust/no-reason', exit: 2 }) as Error);
  });
});

describe('later steps', () => {
  test('they add to it and say the same thing once', async () => {
    const digest = await gated(passed);
    const bundle = { node: 'index', subject: digest, predicateType: 'https://x.example/p', digest: other };
    const moved = { tag: 'demo', after: digest, moved: true };
    const published = { reference: `r.example/a@${digest}`, tags: [moved] };
    for (let time = 0; time < 2; time++)
      await extendEvidence(host, { root, digest }, (evidence) =>
        withPublication(withAttachments(evidence, [bundle]), published, host.clock.now()),
      );
    const found = await findEvidence(host, { root, digest });
    expect(found?.evidence.attachments).toEqual([bundle]);
    expect(found?.evidence.publications.map(({ reference }) => reference)).toEqual([published.reference]);
    expect(found?.evidence.gate).toEqual(passed);
  });

  test('who has no evidence of the index writes none', async () => {
    await gated(passed);
    const before = await readFile(join(layout, 'evidence.json'), 'utf8');
    const done = await extendEvidence(host, { root, digest: other }, (evidence) => ({ ...evidence, lab: false }));
    expect(done).toBeUndefined();
    expect(await readFile(join(layout, 'evidence.json'), 'utf8')).toBe(before);
  });
});

test('the gate records errors, waivers and what was not seen to run; a check records every started platform', () => {
  const finding = (rule: string, severity: 'error' | 'warning' | 'note', waived = false) => ({
    rule,
    severity,
    message: '',
    subject: '',
    remediation: '',
    location: { $case: 'image' as const },
    ...(waived ? { waived: { reason: 'r', owner: 'o', expires: '2027-01-01' } } : {}),
  });
  const findings = [finding('b', 'error'), finding('a', 'error'), finding('a', 'error'), finding('c', 'note', true)];
  const manifest = digestOf('amd64');
  const result = {
    report: { findings },
    pictures: [{ platform: 'linux/amd64', manifestDigest: manifest }],
    probes: [{ platform: 'linux/amd64', checks: [{ check: 'health', state: 'passed', milliseconds: 1 }] }],
  } as unknown as CheckResult;
  const at = '1970-01-01T00:00:00.000Z';
  expect(gateOf(result, ['no run of linux/arm64 is recorded'], new Date(0))).toEqual({
    ...{ passed: false, at, errors: 4, warnings: 0, waived: 1 },
    broken: ['a', 'b', 'no run of linux/arm64 is recorded'],
  });
  expect(runsOf({ ...result, errors: 3 }, new Date(0))).toEqual([
    { platform: 'linux/amd64', manifest, at, errors: 3, checks: [{ check: 'health', state: 'passed' }] },
  ]);
});
