import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { githubIssuer } from '../../src/lab/sigstore/identity.ts';
import { makeVerifier, readPolicy, signTree, verifyTree, type TreeReport } from '../../src/flows/trust/index.ts';
import { createVerifier, keySigner, keyTrust, policySchema, readTrustedRoot } from '../../src/sigstore/index.ts';
import { servicesOf, stage, useKit, workflow, type Stage } from './stage.ts';

const kit = useKit();
let directory: string;
let here: Stage;
let root: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'several-'));
  root = join(directory, 'trusted_root.json');
  await writeFile(root, JSON.stringify(kit().trustedRoot));
  here = await stage(kit());
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** A person's key: its public half lies beside the policy. */
async function approver(name: string) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  await writeFile(join(directory, `${name}.pub`), publicPem);
  const { rekor, tsa } = servicesOf(kit());
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const trust = await keyTrust(publicPem, await readTrustedRoot(JSON.stringify(kit().trustedRoot), 'key'));
  const own = policySchema.parse({ version: 1, signer: { key: 'own' } });
  const signer = keySigner(pem, { rekor, tsa }, undefined);
  return async () => signTree({ ...here.signing, signer, verifier: await createVerifier(trust, own) }, here.ref);
}

const claims = { repository: 'https://github.com/o/r', ref: 'refs/heads/main', trigger: 'push' };
const builder = { issuer: githubIssuer, identities: [workflow] };

async function verify(more: Readonly<Record<string, unknown>>): Promise<TreeReport> {
  const file = join(directory, 'policy.yaml');
  const policy = { version: 1, signer: { ...builder, ...claims }, require: ['signature'], ...more };
  await writeFile(file, JSON.stringify(policy));
  const verifier = await makeVerifier(here.host, await readPolicy(here.host, file), { trustedRoot: root });
  return await verifyTree(here.registry, here.ref, verifier);
}
const missing = ({ nodes }: TreeReport) => nodes.map((node) => node.missing);
const refusals = ({ nodes }: TreeReport) => [
  ...new Set(nodes.flatMap(({ refused }) => refused.map(({ code }) => code))),
];
const hour = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString();

describe('approvals', () => {
  const approvers = { security: [{ key: 'security.pub' }], release: [{ key: 'release.pub' }] };

  test('of every named approver are asked for, on every node', async () => {
    const [security, release] = [await approver('security'), await approver('release')];
    await here.sign();
    expect(missing(await verify({ approvers }))).toEqual([['approval'], ['approval'], ['approval']]);
    await security();
    const half = await verify({ approvers });
    expect(half.ok).toBe(false);
    expect((await verify({ approvers, approvals: 1 })).ok).toBe(true);
    await release();
    const report = await verify({ approvers });
    expect(report.ok).toBe(true);
    expect(report.nodes[0]?.proofs.map(({ signer }) => signer).sort()).toEqual(['release', 'security', 'signer']);
  });

  test('do not stand for the signer, and one approver is not two', async () => {
    const security = await approver('security');
    await approver('release');
    await security();
    await security();
    const report = await verify({ approvers });
    expect(missing(report)[0]).toEqual(['signature', 'approval']);
    await here.sign();
    expect(missing(await verify({ approvers }))[0]).toEqual(['approval']);
  });

  test('of somebody who is not named do not count', async () => {
    await approver('security');
    await approver('release');
    const stranger = await approver('stranger');
    await here.sign();
    await stranger();
    expect((await verify({ approvers, approvals: 1 })).ok).toBe(false);
  });
});

describe('a signer that was replaced', () => {
  test('counts until its end, and the new one from its beginning', async () => {
    const old = await approver('old');
    await old();
    const next = { signer: { key: 'new.pub' } };
    await approver('new');
    expect((await verify(next)).ok).toBe(false);
    expect((await verify({ ...next, previousSigners: [{ key: 'old.pub', until: hour(1) }] })).ok).toBe(true);
    const ended = await verify({ ...next, previousSigners: [{ key: 'old.pub', until: hour(-1) }] });
    expect(ended.ok).toBe(false);
    expect(refusals(ended)).toEqual(['not-valid-then']);
    const early = await verify({ signer: { key: 'old.pub' }, signerValid: { from: hour(1) } });
    expect([early.ok, refusals(early)]).toEqual([false, ['not-valid-then']]);
    expect((await verify({ signer: { key: 'old.pub' }, signerValid: { from: hour(-1), until: hour(1) } })).ok).toBe(
      true,
    );
  });

  test('whose signature no log or authority gives a time does not count within a window', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    await writeFile(join(directory, 'air.pub'), publicPem);
    const own = policySchema.parse({ version: 1, signer: { key: 'own' } });
    const signer = keySigner(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), {}, undefined);
    await signTree(
      { ...here.signing, signer, verifier: await createVerifier(await keyTrust(publicPem), own) },
      here.ref,
    );
    const file = join(directory, 'policy.yaml');
    const report = async (more: object) => {
      await writeFile(
        file,
        JSON.stringify({ version: 1, signer: { key: 'air.pub' }, require: ['signature'], ...more }),
      );
      const verifier = await makeVerifier(here.host, await readPolicy(here.host, file), {});
      return await verifyTree(here.registry, here.ref, verifier);
    };
    expect((await report({})).ok).toBe(true);
    const windowed = await report({ signerValid: { until: hour(1) } });
    expect([windowed.ok, refusals(windowed)]).toEqual([false, ['no-timestamp']]);
  });
});

describe('what is denied', () => {
  test('an image by its digest is not proven, whoever signed it, alone or in an index', async () => {
    await here.sign();
    expect((await verify({})).ok).toBe(true);
    for (const nodes of ['every', 'root'])
      for (const denied of [here.image.root, here.image.arm64]) {
        const report = await verify({ nodes, deny: { digests: [denied.digest] } });
        expect(report.ok).toBe(false);
        expect(report.nodes.filter((node) => node.missing.length > 0).map(({ digest }) => digest)).toEqual([
          denied.digest,
        ]);
      }
  });

  test('an identity does not count, although the policy names it', async () => {
    await here.sign();
    const report = await verify({ deny: { identities: [workflow] } });
    expect([report.ok, refusals(report)]).toEqual([false, ['denied']]);
  });
});

describe('a policy of several signers', () => {
  const bad: readonly [string, Record<string, unknown>][] = [
    ['an approver without a caller', { approvers: { security: [builder] } }],
    ['an approver named like the signer', { approvers: { signer: [{ key: 'x.pub' }] } }],
    ['no approver', { approvers: {} }],
    ['a window that is no time', { signerValid: { until: 'tomorrow' } }],
    ['a denied tag', { deny: { digests: ['latest'] } }],
    ['a misspelt member', { deny: { digest: [] } }],
    ['no approvals', { approvers: { security: [{ key: 'x.pub' }] }, approvals: 0 }],
  ];
  test.each(bad)('with %s is refused', async (_name, more) => {
    await expect(verify(more)).rejects.toMatchObject({ exit: 2 });
  });

  test('that asks for more approvals than it names approvers is refused', async () => {
    await approver('security');
    const policy = { approvers: { security: [{ key: 'security.pub' }] }, approvals: 2 };
    await expect(verify(policy)).rejects.toMatchObject({ code: 'trust/policy', exit: 2 });
    await expect(verify({ approvals: 1 })).rejects.toMatchObject({ code: 'trust/policy' });
  });
});
