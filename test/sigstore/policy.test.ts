import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { AppError, AppErrors } from '../../src/errors/index.ts';
import {
  attestTree,
  makeSigningContext,
  makeVerifier,
  readPolicy,
  sbomsOf,
  signTree,
  verifyTree,
} from '../../src/flows/trust/index.ts';
import { formatImageRef } from '../../src/core/index.ts';
import { fakeHost } from '../support/fake-host.ts';
import {
  buildSite,
  localBuilder,
  makeProvenance,
  policySchema,
  upstreamPolicySchema,
} from '../../src/sigstore/index.ts';
import { ownPolicyFile } from '../../src/flows/trust/read-policy.ts';
import { projectRoot } from '../../src/lab/index.ts';
import { testPlan } from '../support/sigstore/plan.ts';
import { stage, useKit } from './stage.ts';

const kit = useKit();
const directory = mkdtempSync(join(tmpdir(), 'policy-'));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

const good = `version: 1
signer:
  issuer: https://token.actions.githubusercontent.com
  identities:
    - https://github.com/o/r/.github/workflows/build.yml@refs/heads/main
  repository: https://github.com/o/r
  ref: refs/heads/main
  trigger: push
  runnerEnvironment: github-hosted
`;

async function problems(text: string): Promise<readonly AppError[]> {
  const error: unknown = await readPolicy(fakeHost(), file('bad.yaml', text)).catch((reason: unknown) => reason);
  if (error instanceof AppErrors) return error.errors;
  return error instanceof AppError ? [error] : [];
}

describe('a policy file', () => {
  test('asks for everything on every node unless it says otherwise', async () => {
    expect(await readPolicy(fakeHost(), file('good.yaml', good))).toMatchObject({
      require: ['signature', 'provenance', 'sbom'],
      nodes: 'every',
      legacy: false,
      timestamps: 'log',
    });
  });

  test.each([
    ['a misspelt key', good.replace('runnerEnvironment', 'runnerEnviroment'), 9],
    ['a pattern instead of an identity', good.replace('build.yml@', '*@'), 5],
    ['a version that is not known', good.replace('version: 1', 'version: 2'), 1],
    ['an attestation that does not exist', `${good}require: [signatures]\n`, 10],
    ['nothing required', `${good}require: []\n`, 10],
  ])('with %s is refused with its line', async (_name, text, line) => {
    const [first] = await problems(text);
    expect(first?.facts.where?.line).toBe(line);
  });

  test.each([
    ['repository', '  repository: https://github.com/o/r\n', 'repository, e.g. https://github.com/o/r'],
    ['ref', '  ref: refs/heads/main\n', 'ref, e.g. refs/heads/main'],
    ['trigger', '  trigger: push\n', 'trigger, e.g. push'],
  ])('for a workflow, without its %s, is refused and says what to add', async (_name, line, says) => {
    const found = await problems(good.replace(line, ''));
    expect(found.map(({ exit, message }) => [exit, message])).toEqual([[2, expect.stringContaining(says)]]);
  });

  test('lists refs and triggers of which any will do; a person has neither', async () => {
    const listed = good.replace('trigger: push', 'trigger: [push, schedule]');
    expect((await readPolicy(fakeHost(), file('listed.yaml', listed))).signer).toMatchObject({
      ref: ['refs/heads/main'],
      trigger: ['push', 'schedule'],
    });
    const person = 'version: 1\nsigner: { issuer: https://accounts.example, identities: [someone@example.com] }\n';
    expect(await readPolicy(fakeHost(), file('person.yaml', person))).toMatchObject({ version: 1 });
  });

  test('of an upstream states its repository at least', () => {
    const identities = ['https://github.com/o/r/.github/workflows/release.yml@refs/tags/1.0.0'];
    const signer = { issuer: 'https://token.actions.githubusercontent.com', identities };
    expect(upstreamPolicySchema.safeParse({ version: 1, signer }).success).toBe(false);
    const named = { ...signer, repository: 'https://github.com/o/r' };
    expect(upstreamPolicySchema.safeParse({ version: 1, signer: named }).success).toBe(true);
    expect(policySchema.safeParse({ version: 1, signer: named }).success).toBe(false);
  });

  test('without a signer is refused: it would accept anybody', async () => {
    expect((await problems('version: 1\n')).length).toBeGreaterThan(0);
  });
});

describe('this project’s own policy', () => {
  const own = join(projectRoot, ownPolicyFile);
  const here = { GITHUB_ACTIONS: 'true', GITHUB_REPOSITORY: 'team/images' };
  const read = (env: Record<string, string>, stated?: string) => readPolicy(fakeHost({ env }), own, stated);

  test('is about the repository whose workflow runs, or the one that is named: every claim, one workflow, one caller', async () => {
    const at = 'https://github.com/team/images';
    const expected = {
      signer: {
        identities: [`${at}/.github/workflows/sign.yml@refs/heads/main`],
        repository: at,
        ref: ['refs/heads/main'],
        workflow: `${at}/.github/workflows/build.yml@refs/heads/main`,
        trigger: ['push', 'workflow_dispatch'],
        runnerEnvironment: 'github-hosted',
      },
      builders: [`${at}/.github/workflows/sign.yml@refs/heads/main`],
      require: ['signature', 'provenance', 'sbom'],
      nodes: 'every',
    };
    expect(await read(here)).toMatchObject(expected);
    expect(await read({}, at)).toEqual(await read(here));
    // Only a running workflow says where it runs.
    await expect(read({ GITHUB_REPOSITORY: 'team/images' })).rejects.toMatchObject({
      code: 'trust/repository',
      exit: 2,
    });
  });

  test.each(['github.com/o/r', 'https://github.com/o', "https://github.com/o/r'\nref: x", 'https://u@github.com/o/r'])(
    'takes no repository %j',
    async (stated) => {
      await expect(read({}, stated)).rejects.toMatchObject({ code: 'trust/repository' });
    },
  );

  test('a policy that names its repository takes no second one', async () => {
    const named = file('named.yaml', good);
    await expect(readPolicy(fakeHost(), named, 'https://github.com/o/x')).rejects.toMatchObject({ exit: 2 });
  });
});

describe('the way of the commands', () => {
  test('keyless: sign, attest with SBOMs of the image itself, verify by a policy file and a trusted root', async () => {
    const here = await stage(kit());
    const trustedRoot = file('trusted_root.json', JSON.stringify(kit().trustedRoot));
    const services = { fulcio: kit().url, rekor: kit().url, tsa: kit().url };
    const signing = await makeSigningContext(here.host, here.registry, services, { trustedRoot });
    await signTree(signing, here.ref);
    const image = formatImageRef(here.ref);
    const about = { repository: 'quay.example/o/runner', sourceDateEpoch: 1_780_000_000, toolVersion: '0.1.0' };
    const sboms = await sbomsOf(here.host, { image, registry: here.registry, ...about });
    expect(sboms.map(({ platform, components }) => [platform, components])).toEqual([
      ['linux/amd64', 1],
      ['linux/arm64', 1],
    ]);
    const texts = new Map(sboms.map(({ digest, text }) => [digest, text]));
    const byHand = makeProvenance({ plan: testPlan, site: buildSite({}), toolVersion: '0.1.0' });
    await attestTree(signing, here.ref, { provenance: () => byHand, sboms: texts });
    const verify = async (policy: string) =>
      verifyTree(
        here.registry,
        here.ref,
        await makeVerifier(here.host, await readPolicy(here.host, file('good.yaml', policy)), { trustedRoot }),
      );
    // A workflow vouches for what it built itself, unless the policy names another builder.
    const refused = await verify(good);
    expect(refused.nodes.flatMap(({ refused: all }) => all.map(({ code }) => code))).toEqual(
      Array.from({ length: 3 }, () => 'other-builder'),
    );
    expect((await verify(`${good}builders: [${localBuilder}]\n`)).ok).toBe(true);
  });

  test('trust roots that contradict each other, or the key, are refused before anything is asked', async () => {
    const policy = await readPolicy(fakeHost(), file('good.yaml', good));
    const online = async () => Promise.reject(new Error('asked'));
    await expect(makeVerifier(fakeHost(), policy, { online, trustedRoot: '/x' })).rejects.toMatchObject({
      code: 'trust/two-roots',
      exit: 2,
    });
    const key = policySchema.parse({ version: 1, signer: { key: '/k.pub' } });
    await expect(makeVerifier(fakeHost(), key, { online })).rejects.toMatchObject({
      code: 'trust/key-online',
      exit: 2,
    });
  });

  test('a trust root is never assumed', async () => {
    const policy = await readPolicy(fakeHost(), file('good.yaml', good));
    await expect(makeVerifier(fakeHost(), policy, {})).rejects.toMatchObject({ code: 'trust/no-root' });
  });

  test('half an instance is refused: a certificate of one and a log of another would not verify', async () => {
    const here = await stage(kit());
    await expect(makeSigningContext(here.host, here.registry, { fulcio: kit().url }, {})).rejects.toMatchObject({
      code: 'trust/services',
    });
  });
});
