import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../../src/core/index.ts';
import {
  demandGate,
  evidenceFile,
  openEvidence,
  runsOf,
  withPublication,
  withRuns,
  withVerification,
  writeEvidence,
  type Run,
} from '../../src/evidence/index.ts';
import { fakeHost } from '../support/fake-host.ts';
import { testPlan } from '../support/sigstore/plan.ts';
import { evidence } from './evidence.ts';

const now = new Date('2026-01-02T03:04:05.000Z');
const amd64 = { platform: 'linux/amd64', manifest: digestOf('amd64') } as const;
const arm64 = { platform: 'linux/arm64', manifest: digestOf('arm64') } as const;
const checks = [{ check: 'probe/startup', state: 'passed' as const }];
const run = (image: typeof amd64 | typeof arm64, errors = 0): Run => ({
  ...image,
  at: now.toISOString(),
  errors,
  checks,
});

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'evidence-'));
});
afterEach(() => rm(root, { recursive: true }));

describe('what a check started', () => {
  const pictures = [
    { platform: 'linux/amd64', manifestDigest: amd64.manifest },
    { platform: 'linux/arm64', manifestDigest: arm64.manifest },
  ];
  const probed = (platform: 'linux/amd64' | 'linux/arm64') => ({ platform, checks });

  test('is recorded of the image of its platform', () => {
    expect(runsOf({ errors: 0, pictures, probes: [probed('linux/arm64')] }, now)).toEqual([run(arm64)]);
  });

  test('is not recorded where no image of its platform was read', () => {
    expect(runsOf({ errors: 0, pictures: pictures.slice(0, 1), probes: [probed('linux/arm64')] }, now)).toEqual([]);
  });
});

describe('runs that are added', () => {
  const filed = { file: 'evidence.json', evidence: { ...evidence, runs: [run(amd64), run(arm64)] } };

  test('take the place of those of their platform', () => {
    expect(withRuns(filed, [run(amd64, 1)]).runs).toEqual([run(arm64), run(amd64, 1)]);
  });

  test('take the place of several', () => {
    expect(withRuns(filed, [run(amd64, 1), run(arm64, 2)]).runs).toEqual([run(amd64, 1), run(arm64, 2)]);
  });

  test('of another image are refused, and what was meant is said', () => {
    const foreign = run({ ...amd64, manifest: arm64.manifest });
    const expected = `linux/amd64 ${amd64.manifest}, linux/arm64 ${arm64.manifest}`;
    expect(() => withRuns(filed, [foreign])).toThrow(
      expect.objectContaining({
        code: 'evidence/other-image',
        facts: expect.objectContaining({ expected }) as object,
      }) as Error,
    );
  });
});

test('a publication keeps which tag moved, from where and to what', () => {
  const tags = [{ tag: 'v1', before: amd64.manifest, after: arm64.manifest }];
  const reference = 'quay.example/a';
  expect(withPublication(evidence, { reference, tags }, now).publications).toEqual([
    { reference, at: now.toISOString(), tags },
  ]);
});

test('a verification keeps of each node what was proven, once and sorted, and what was missing', () => {
  const proofs = ['signature', 'provenance', 'signature'].map((attestation) => ({ attestation }));
  const node = { name: 'index', digest: digestOf('i') };
  const report = { reference: 'quay.example/a', ok: false, nodes: [{ ...node, proofs, missing: ['sbom'] }] };
  expect(withVerification(evidence, report, 'me', now).verification).toEqual({
    reference: 'quay.example/a',
    at: now.toISOString(),
    ok: false,
    signer: 'me',
    nodes: [{ ...node, proven: ['provenance', 'signature'], missing: ['sbom'] }],
  });
});

test('evidence of an index names the plan’s pins with what is known of them', async () => {
  const index = { directory: root, digest: digestOf('i'), platforms: [] };
  const { evidence: opened } = await openEvidence(fakeHost(), index, testPlan);
  expect(opened.pins).toEqual(
    testPlan.pins.map((pin) => ({
      name: pin.name,
      kind: pin.kind,
      version: pin.kind === 'rpms' ? 'floating' : pin.version,
      evidence: pin.evidence,
      absent: pin.absent,
    })),
  );
});

test('evidence that says the same already is not written again', async () => {
  const host = fakeHost();
  const file = evidenceFile(root);
  await writeEvidence(host, { file, evidence });
  const files = { ...host.files, write: async () => Promise.reject(new Error('written')) };
  expect((await writeEvidence({ ...host, files }, { file, evidence })).file).toBe(file);
});

describe('signing without a gate is refused, and the error says', () => {
  const facts = async (): Promise<unknown> =>
    await demandGate(fakeHost(), { root, digest: evidence.digest }).catch((error: unknown) => error);

  test('that there is no evidence', async () => {
    expect(await facts()).toMatchObject({
      code: 'trust/no-gate',
      facts: { found: 'no evidence of it under dist/', where: undefined },
    });
  });

  test('that there is evidence without a gate, and where', async () => {
    const file = evidenceFile(join(root, 'dist/openshell'));
    await writeEvidence(fakeHost(), { file, evidence });
    expect(await facts()).toMatchObject({
      code: 'trust/no-gate',
      facts: { found: 'evidence without a gate', where: { file } },
    });
  });
});
