import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { formatImageRef, hexOf } from '../../src/core/index.ts';
import { attestSummary, summaryOf, verifyTree } from '../../src/flows/trust/index.ts';
import { localVerifier, type SummaryFacts } from '../../src/sigstore/index.ts';
import { start, type Ran } from '../flows/project.ts';
import { policyText } from '../sigstore/policy-text.ts';
import { stage, useKit, verifierFor, workflow, type Stage } from '../sigstore/stage.ts';
import { vsaStatement } from '../support/sigstore/vsa-v1.ts';

const kit = useKit();
const ajv = new Ajv({ allErrors: true, strict: true, strictRequired: false, strictTypes: false });
formats.default(ajv);
const validate = ajv.compile(vsaStatement);
const problems = (value: unknown): string[] => {
  validate(value);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message ?? ''}`);
};

interface Summary {
  subject: { digest: { sha256: string } }[];
  predicate: Record<string, unknown> & {
    verifier: { id: string };
    policy: { uri: string; digest: { sha256: string } };
  };
}

let directory: string;
let here: Stage;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'vsa-'));
  await writeFile(join(directory, 'root.json'), JSON.stringify(kit().trustedRoot));
  here = await stage(kit());
  await here.sign();
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const facts = (
  changes: Partial<SummaryFacts> = {},
): Omit<SummaryFacts, 'subjects' | 'inputs' | 'passed' | 'provenance'> => ({
  repository: 'quay.io/o/runner',
  verifier: workflow,
  toolVersion: '0.1.0',
  time: new Date('2026-01-02T03:04:05.678Z'),
  policy: 'version: 1\n',
  ...changes,
});

async function found(require?: readonly string[]) {
  const verifier = await verifierFor(kit(), require === undefined ? {} : { require });
  return await verifyTree(here.registry, here.ref, verifier);
}
const written = async (file: string): Promise<Summary> => JSON.parse(await readFile(file, 'utf8')) as Summary;
const asSigned = (value: unknown): Summary => JSON.parse(JSON.stringify(value)) as Summary;

describe('a verification summary', () => {
  test('of a proven tree is what SLSA v1 defines: its subjects, its inputs, one level, and nothing else', async () => {
    await here.attest();
    const report = await found();
    const summary = asSigned(summaryOf(report, 'every', facts()));
    expect(problems(summary)).toEqual([]);
    const digests = report.nodes.map(({ digest }) => hexOf(digest));
    expect(summary.subject.map(({ digest }) => digest.sha256)).toEqual(digests);
    expect(summary.predicate).toMatchObject({
      verifier: { id: workflow, version: { 'runner-image': '0.1.0' } },
      timeVerified: '2026-01-02T03:04:05Z',
      verificationResult: 'PASSED',
      verifiedLevels: ['SLSA_BUILD_LEVEL_1'],
    });
    const sources = report.nodes.flatMap(({ proofs }) => proofs.map(({ source }) => source.slice('sha256:'.length)));
    const inputs = summary.predicate['inputAttestations'] as { digest: { sha256: string } }[];
    expect(inputs.map(({ digest }) => digest.sha256).sort()).toEqual(sources.sort());
    const policy = createHash('sha256').update('version: 1\n').digest();
    expect(summary.predicate.policy).toEqual({
      uri: `ni:///sha-256;${policy.toString('base64url')}`,
      digest: { sha256: policy.toString('hex') },
    });
  });

  test('claims no level where no provenance was looked at, and none for what is not proven', async () => {
    const passed = asSigned(summaryOf(await found(['signature']), 'every', facts()));
    expect(passed.predicate).toMatchObject({
      verificationResult: 'PASSED',
      verifiedLevels: ['SLSA_BUILD_LEVEL_UNEVALUATED'],
    });
    const failed = asSigned(summaryOf(await found(), 'every', facts()));
    expect(failed.predicate).toMatchObject({ verificationResult: 'FAILED', verifiedLevels: ['FAILED'] });
    expect([...problems(passed), ...problems(failed)]).toEqual([]);
  });

  test('is about the index alone where only that was asked about; another form is found by the schema', async () => {
    const { predicate, ...rest } = asSigned(summaryOf(await found(['signature']), 'root', facts()));
    expect(rest.subject).toHaveLength(1);
    expect(problems({ ...rest, predicate: { ...predicate, verifiedLevels: ['SLSA_BUILD_LEVEL_4'], more: 1 } })).toEqual(
      [
        '/predicate must NOT have additional properties',
        '/predicate/verifiedLevels/0 must match pattern "^(FAILED|SLSA_BUILD_LEVEL_(UNEVALUATED|[0-3]))$"',
      ],
    );
  });

  test('is signed by its verifier, attached once, and shown by verify', async () => {
    const file = join(directory, 'vsa.json');
    await writeFile(file, JSON.stringify(summaryOf(await found(['signature']), 'every', facts())));
    const first = await attestSummary(here.signing, here.ref, file);
    expect(first.bundles.map(({ how }) => how)).toEqual(['attached']);
    expect((await attestSummary(here.signing, here.ref, file)).bundles.map(({ how }) => how)).toEqual(['present']);
    const [root] = (await found(['signature'])).nodes;
    expect(root?.proofs.map(({ attestation }) => attestation).sort()).toEqual(['signature', 'summary']);
    // It stands for nothing that a policy asks for.
    expect((await found()).ok).toBe(false);
  });

  test('in the name of another verifier, about another image, of another kind or malformed is not signed', async () => {
    const file = join(directory, 'vsa.json');
    const good = asSigned(summaryOf(await found(['signature']), 'every', facts()));
    const attempts: [unknown, string][] = [
      [{ ...good, predicate: { ...good.predicate, verifier: { id: localVerifier } } }, 'another verifier'],
      [{ ...good, subject: [{ digest: { sha256: '9'.repeat(64) } }] }, 'another image'],
      [{ ...good, predicateType: 'https://slsa.dev/provenance/v1' }, 'no verification summary'],
      [{ ...good, predicate: { ...good.predicate, verificationResult: 'GREAT' } }, 'malformed'],
      [{ ...good, predicate: { ...good.predicate, verifiedLevels: ['SLSA_BUILD_LEVEL_9'] } }, 'malformed'],
    ];
    for (const [summary, why] of attempts) {
      await writeFile(file, JSON.stringify(summary));
      const refusal = { code: 'trust/vsa', exit: 2, message: expect.stringContaining(why) as unknown };
      await expect(attestSummary(here.signing, here.ref, file)).rejects.toMatchObject(refusal);
    }
    expect((await here.registry.referrers(here.repo, here.image.root.digest)).referrers).toHaveLength(1);
  });
});

describe('verify --vsa', () => {
  const verify = async (require: readonly string[], more: readonly string[]): Promise<Ran> => {
    await writeFile(join(directory, 'policy.yaml'), policyText({ require }));
    const ref = formatImageRef({ ...here.repo, digest: here.image.root.digest });
    const trust = ['--policy', join(directory, 'policy.yaml'), '--trusted-root', join(directory, 'root.json')];
    return start(['verify', ref, ...trust, '--plain-http', here.server.host, ...more]).ended;
  };

  test('writes what was found, also where it is not proven, and leaves no old summary where it could not tell', async () => {
    const file = join(directory, 'vsa.json');
    expect((await verify(['signature'], ['--vsa', file, '--verifier-id', workflow])).code).toBe(0);
    const passed = await written(file);
    expect(problems(passed)).toEqual([]);
    expect(passed.predicate).toMatchObject({ verificationResult: 'PASSED', verifier: { id: workflow } });
    expect((await verify(['provenance'], ['--vsa', file])).code).toBe(1);
    expect((await written(file)).predicate).toMatchObject({
      verificationResult: 'FAILED',
      verifier: { id: localVerifier },
    });
    here.misbehave((_request, response) => {
      response.writeHead(403).end();
      return true;
    });
    expect((await verify(['provenance'], ['--vsa', file])).code).toBe(3);
    await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
