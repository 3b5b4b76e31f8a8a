import { describe, expect, test } from 'vitest';
import { buildSite, buildType, checkProvenance, localBuilder, makeProvenance } from '../../src/sigstore/index.ts';
import { pins, testPlan } from '../support/sigstore/plan.ts';

const made = () => makeProvenance({ plan: testPlan, site: buildSite({}), toolVersion: '0.1.0' });
const github = {
  GITHUB_ACTIONS: 'true',
  GITHUB_SERVER_URL: 'https://github.com',
  GITHUB_REPOSITORY: 'o/r',
  GITHUB_WORKFLOW_REF: 'o/r/.github/workflows/build.yml@refs/heads/main',
  GITHUB_SHA: '3'.repeat(40),
  GITHUB_REF: 'refs/heads/main',
  GITHUB_RUN_ID: '77',
  GITHUB_RUN_ATTEMPT: '2',
  GITHUB_EVENT_NAME: 'push',
  RUNNER_ENVIRONMENT: 'github-hosted',
};

describe('provenance', () => {
  test('names every pin of the plan', () => {
    const names = (made().buildDefinition.resolvedDependencies ?? []).map(({ name }) => name?.split(' ')[0]);
    for (const { name } of pins) expect(names).toContain(name);
  });

  test('gives each pin the digest it is held by, and says where there is none', () => {
    const dependencies = made().buildDefinition.resolvedDependencies ?? [];
    const of = (name: string) => dependencies.find((dependency) => dependency.name === name);
    expect(of('base')?.digest).toEqual({ sha256: 'a'.repeat(64) });
    expect(of('gh linux/amd64')).toMatchObject({
      uri: 'https://github.com/cli/cli/releases/download/v2.74.0/gh_2.74.0_linux_amd64.tar.gz',
      digest: { sha256: 'b'.repeat(64) },
    });
    expect(of('gh linux/arm64')?.digest).toEqual({ sha256: 'c'.repeat(64) });
    expect(of('codex')).toMatchObject({ uri: 'pkg:npm/%40openai/codex@0.117.0', digest: { sha512: '07'.repeat(64) } });
    expect(of('runner-source')?.digest).toEqual({ gitCommit: 'd'.repeat(40), gitTree: 'e'.repeat(40) });
    expect(of('checkout')?.digest).toEqual({ gitCommit: '1'.repeat(40) });
    for (const name of ['python', 'rpms'])
      expect([of(name)?.digest, of(name)?.annotations?.['digest']]).toEqual([
        undefined,
        expect.stringMatching(/^absent: /) as string,
      ]);
  });

  test('says what was asked for, and is the same each time', () => {
    expect(made().buildDefinition).toMatchObject({
      buildType,
      externalParameters: { variant: 'openshell', inputDigest: testPlan.inputDigest, lab: true },
      internalParameters: { sourceDateEpoch: testPlan.sourceDateEpoch },
    });
    expect(JSON.stringify(made())).toBe(JSON.stringify(made()));
  });

  test('on GitHub names workflow, source and run; the builder is the reusable workflow of the token', () => {
    const claims = { job_workflow_ref: 'o/r/.github/workflows/sign.yml@refs/heads/main' };
    const token = `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`;
    const site = buildSite(github, token);
    expect(site.builder).toBe('https://github.com/o/r/.github/workflows/sign.yml@refs/heads/main');
    const { buildDefinition, runDetails } = makeProvenance({ plan: testPlan, site, toolVersion: '0.1.0' });
    expect(buildDefinition.externalParameters['workflow']).toEqual({
      ref: 'refs/heads/main',
      repository: 'https://github.com/o/r',
      path: '.github/workflows/build.yml',
    });
    expect(buildDefinition.resolvedDependencies?.[0]).toEqual({
      uri: 'git+https://github.com/o/r@refs/heads/main',
      digest: { gitCommit: '3'.repeat(40) },
    });
    expect(runDetails.metadata?.invocationId).toBe('https://github.com/o/r/actions/runs/77/attempts/2');
  });

  test('outside a CI the source is the commit alone; a changed work tree is no source', () => {
    const of = (commit: string) => {
      const plan = { ...testPlan, buildArgs: { ...testPlan.buildArgs, GIT_COMMIT: commit } };
      const { buildDefinition } = makeProvenance({ plan, site: buildSite({}), toolVersion: '0.1.0' });
      return (buildDefinition.resolvedDependencies ?? []).filter(({ name }) => name === 'source');
    };
    expect(of('2'.repeat(40))).toEqual([{ name: 'source', digest: { gitCommit: '2'.repeat(40) } }]);
    expect(of(`${'2'.repeat(40)}-dirty`)).toEqual([]);
    expect(of('')).toEqual([]);
  });

  test('outside a CI the builder is one that no policy trusts', () => {
    expect(made().runDetails.builder.id).toBe(localBuilder);
    expect(buildSite({ ...github, GITHUB_ACTIONS: undefined }).builder).toBe(localBuilder);
  });

  test.each([
    [
      'no build type',
      { buildDefinition: { externalParameters: {} }, runDetails: { builder: { id: 'https://b.example' } } },
    ],
    ['no builder', { buildDefinition: { buildType, externalParameters: {} }, runDetails: {} }],
    [
      'a builder that is no URI',
      { buildDefinition: { buildType, externalParameters: {} }, runDetails: { builder: { id: 'me' } } },
    ],
    [
      'a dependency that says nothing',
      {
        buildDefinition: { buildType, externalParameters: {}, resolvedDependencies: [{ name: 'x' }] },
        runDetails: { builder: { id: 'https://b.example' } },
      },
    ],
    [
      'a digest that is not hexadecimal',
      {
        buildDefinition: {
          buildType,
          externalParameters: {},
          resolvedDependencies: [{ digest: { sha256: 'latest' } }],
        },
        runDetails: { builder: { id: 'https://b.example' } },
      },
    ],
  ])('with %s is none', (_name, value) => {
    expect(() => checkProvenance(value)).toThrow(expect.objectContaining({ code: 'sigstore/provenance' }) as Error);
  });
});
