import { resolve } from 'node:path';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { describe, expect, test } from 'vitest';
import { digestOf, type Plan } from '../../src/core/index.ts';
import { buildPlan } from '../../src/flows/plan.ts';
import { buildSite, makeProvenance, makeStatement, type BuildSite } from '../../src/sigstore/index.ts';
import { fakeHost } from '../support/fake-host.ts';
import { testPlan } from '../support/sigstore/plan.ts';
import { slsaStatement } from '../support/sigstore/slsa-v1.ts';

const root = resolve(import.meta.dirname, '../..');
const ajv = new Ajv({ allErrors: true, strict: true, strictRequired: false });
formats.default(ajv);
const validate = ajv.compile(slsaStatement);
const problems = (statement: unknown): string[] => {
  validate(statement);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message ?? ''}`);
};

const onGitHub = buildSite({
  GITHUB_ACTIONS: 'true',
  GITHUB_REPOSITORY: 'o/r',
  GITHUB_WORKFLOW_REF: 'o/r/.github/workflows/build.yml@refs/heads/main',
  GITHUB_SHA: '3'.repeat(40),
  GITHUB_REF: 'refs/heads/main',
  GITHUB_RUN_ID: '77',
  GITHUB_RUN_ATTEMPT: '2',
});
const builds = [
  { platform: 'linux/amd64', manifest: digestOf('amd64'), engine: { product: 'Docker Engine', version: '28.0' } },
] as const;

/** As it is signed: through JSON, where what is undefined is no member. */
function statementOf(plan: Plan, site: BuildSite): Record<string, unknown> {
  const provenance = makeProvenance({ plan, site, toolVersion: '0.1.0', builds });
  const statement = makeStatement('provenance', digestOf('an image'), { ...provenance }, 'quay.io/o/runner');
  return JSON.parse(JSON.stringify(statement)) as Record<string, unknown>;
}

describe('provenance is what the SLSA v1 specification defines, and nothing else', () => {
  test.each([
    ['made by hand', buildSite({})],
    ['made on GitHub', onGitHub],
  ])('with every kind of pin, %s', (_name, site) => {
    expect(problems(statementOf(testPlan, site))).toEqual([]);
  });

  test.each(['openshell', 'standard'])('of the real plan of %s', async (variant) => {
    const plan = await buildPlan(fakeHost(), { root, variant });
    expect(problems(statementOf(plan, onGitHub))).toEqual([]);
  });

  test('a member that the specification does not know, a missing one and a malformed digest are found', () => {
    const broken = statementOf(testPlan, onGitHub) as unknown as {
      predicate: {
        buildDefinition: { buildType?: string; resolvedDependencies: { digest: Record<string, string> }[] };
        runDetails: Record<string, unknown>;
      };
    };
    delete broken.predicate.buildDefinition.buildType;
    broken.predicate.runDetails['startedAt'] = 'today';
    const [first] = broken.predicate.buildDefinition.resolvedDependencies;
    if (first !== undefined) first.digest = { sha256: 'abc' };
    expect(problems(broken)).toEqual([
      "/predicate/buildDefinition must have required property 'buildType'",
      '/predicate/buildDefinition/resolvedDependencies/0/digest/sha256 must match pattern "^[0-9a-f]{64}$"',
      '/predicate/runDetails must NOT have additional properties',
    ]);
  });
});
