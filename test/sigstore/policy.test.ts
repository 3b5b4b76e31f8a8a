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
import { provenance, stage, useKit } from './stage.ts';

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
    ['a misspelt key', good.replace('runnerEnvironment', 'runnerEnviroment'), 8],
    ['a pattern instead of an identity', good.replace('build.yml@', '*@'), 5],
    ['a version that is not known', good.replace('version: 1', 'version: 2'), 1],
    ['an attestation that does not exist', `${good}require: [signatures]\n`, 9],
    ['nothing required', `${good}require: []\n`, 9],
  ])('with %s is refused with its line', async (_name, text, line) => {
    const [first] = await problems(text);
    expect(first?.facts.where?.line).toBe(line);
  });

  test('without a signer is refused: it would accept anybody', async () => {
    expect((await problems('version: 1\n')).length).toBeGreaterThan(0);
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
    await attestTree(signing, here.ref, { provenance, sboms: texts });
    const verifier = await makeVerifier(here.host, await readPolicy(here.host, file('good.yaml', good)), {
      trustedRoot,
    });
    expect((await verifyTree(here.registry, here.ref, verifier)).ok).toBe(true);
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
