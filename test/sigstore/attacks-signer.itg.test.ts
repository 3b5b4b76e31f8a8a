import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { signTree, verifyTree } from '../../src/flows/trust/index.ts';
import {
  createVerifier,
  keylessSigner,
  keySigner,
  keyTrust,
  policySchema,
  readTrustedRoot,
} from '../../src/sigstore/index.ts';
import { startKit } from '../../src/lab/sigstore/kit.ts';
import { attachRaw, bytesOf, codes, rootReport, signedJson } from './attach-raw.ts';
import { servicesOf, signerFor, stage, useKit, verifierFor, workflow } from './stage.ts';

const kit = useKit();

const hasAbsent = (claims: object): boolean => Object.values(claims).includes(undefined);
/** The policy of the one who called the workflow. */
const ownClaims = ({ repository, ref, event_name: trigger }: Readonly<Record<string, string | undefined>>) => ({
  ...(repository === undefined ? {} : { repository: `https://github.com/${repository}` }),
  ...(ref === undefined ? {} : { ref }),
  ...(trigger === undefined ? {} : { trigger }),
});

describe('signatures of others', () => {
  test.each([
    ['another workflow', { job_workflow_ref: 'o/r/.github/workflows/evil.yml@refs/heads/main' }, 'other-identity'],
    ['another branch', { job_workflow_ref: 'o/r/.github/workflows/build.yml@refs/heads/dev' }, 'other-identity'],
    [
      'a longer identity with the same beginning',
      { job_workflow_ref: 'o/r/.github/workflows/build.yml@refs/heads/main-evil' },
      'other-identity',
    ],
    [
      'an identity in which a pattern’s dot would match',
      { job_workflow_ref: 'o/r/.github/workflows/buildxyml@refs/heads/main' },
      'other-identity',
    ],
    ['another issuer', { iss: 'https://token.actions.githubusercontent.com.evil.example' }, 'other-issuer'],
  ])('%s is refused', async (_name, changes, code) => {
    const here = await stage(kit());
    await signTree(await here.signingAs(changes), here.ref);
    const report = await rootReport(here);
    expect(report.ok).toBe(false);
    expect(report.missing).toEqual(['signature']);
    expect(codes(report)).toEqual([code]);
  });

  test.each([
    ['repository', 'https://github.com/o/r', { repository: 'o/fork' }],
    ['ref', 'refs/heads/main', { ref: 'refs/pull/7/merge' }],
    ['workflow', workflow, { workflow_ref: 'o/r/.github/workflows/other.yml@refs/heads/main' }],
    ['runnerEnvironment', 'github-hosted', { runner_environment: 'self-hosted' }],
    ['commit', '1'.repeat(40), { sha: '2'.repeat(40) }],
    ['trigger', 'push', { event_name: 'pull_request_target' }],
  ])('a policy’s %s is compared, too', async (name, wanted, changes) => {
    const here = await stage(kit());
    const asking = await verifierFor(kit(), { require: ['signature'], nodes: 'root' }, { [name]: wanted });
    await signTree(await here.signingAs(changes), here.ref);
    const report = await rootReport(here, asking);
    expect(report.missing).toEqual(['signature']);
    expect(codes(report)).toEqual(['other-claim']);
    const again = await stage(kit());
    await again.sign();
    expect((await rootReport(again, asking)).ok).toBe(true);
  });

  // The certificate's name is that of the file that signed: every repository can call a public reusable workflow.
  const stranger = { repository: 'evil/x', workflow_ref: 'evil/x/.github/workflows/build.yml@refs/heads/main' };
  test.each([
    ['another repository', stranger, 'repository is https://github.com/evil/x'],
    ['a tag of the same repository', { ref: 'refs/tags/v9.9.9' }, 'ref is refs/tags/v9.9.9'],
    ['a branch of the same repository', { ref: 'refs/heads/dev' }, 'ref is refs/heads/dev'],
    [
      'a pull request’s code, with the rights of main',
      { event_name: 'pull_request_target' },
      'trigger is pull_request_',
    ],
    ['a repository that is not named', { repository: undefined }, 'repository is not there'],
    ['a ref that is not named', { ref: undefined }, 'ref is not there'],
    ['a trigger that is not named', { event_name: undefined }, 'trigger is not there'],
  ])('the trusted workflow, called by %s, is refused', async (_name, claims, detail) => {
    const here = await stage(kit());
    const signer = signerFor(kit(), here.host, claims as Readonly<Record<string, string>>);
    const bundle = await signedJson(signer, here.image.root.digest);
    await attachRaw(here, here.image.root, bytesOf(bundle));
    const report = await rootReport(here);
    expect(report.missing).toEqual(['signature']);
    expect(report.refused).toEqual([
      expect.objectContaining({ code: 'other-claim', detail: expect.stringContaining(detail) as unknown }),
    ]);
    // The name is right, and so is everything else: only who called it is wrong.
    const own = await verifierFor(kit(), { require: ['signature'], nodes: 'root' }, ownClaims(claims));
    expect((await rootReport(here, own)).ok).toBe(!hasAbsent(claims));
  });

  test('a certificate of another Fulcio is refused', async () => {
    const other = await startKit();
    try {
      const here = await stage(kit());
      // Their certificate in our log, with our timestamp: nothing but the CA is wrong.
      const services = { ...servicesOf(kit()), fulcio: other.url };
      const signer = keylessSigner(here.host, services, async () => other.token());
      await attachRaw(here, here.image.root, bytesOf(await signedJson(signer, here.image.root.digest)));
      const report = await rootReport(here);
      expect(report.missing).toEqual(['signature']);
      expect(codes(report)).toEqual(['certificate']);
    } finally {
      await other.close();
    }
  });
});

describe('keys', () => {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  const publicPem = pair.publicKey.export({ type: 'spki', format: 'pem' }) as string;
  const keyPolicy = policySchema.parse({ version: 1, signer: { key: 'k.pub' }, require: ['signature'] });

  test('a key signs and verifies with no network at all', async () => {
    const here = await stage(kit());
    const before = { ...kit().counts };
    const verifier = await createVerifier(await keyTrust(publicPem), keyPolicy);
    await signTree({ ...here.signing, signer: keySigner(pem), verifier }, here.ref);
    expect((await verifyTree(here.registry, here.ref, verifier)).ok).toBe(true);
    expect(kit().counts).toEqual(before);
  });

  test('a key with a log: the log entry is demanded of it', async () => {
    const here = await stage(kit());
    const root = await readTrustedRoot(JSON.stringify(kit().trustedRoot), 'key');
    const verifier = await createVerifier(await keyTrust(publicPem, root), keyPolicy);
    const { fulcio: _none, ...services } = servicesOf(kit());
    await signTree({ ...here.signing, signer: keySigner(pem, services), verifier }, here.ref);
    expect((await verifyTree(here.registry, here.ref, verifier)).ok).toBe(true);
    const bare = await stage(kit());
    const trusting = await createVerifier(await keyTrust(publicPem), keyPolicy);
    await signTree({ ...bare.signing, signer: keySigner(pem), verifier: trusting }, bare.ref);
    const report = await rootReport(bare, verifier);
    expect(report.missing).toEqual(['signature']);
    expect(codes(report)).toEqual(['timestamp']);
  });

  test('another key is refused', async () => {
    const here = await stage(kit());
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const otherPem = other.publicKey.export({ type: 'spki', format: 'pem' }) as string;
    const verifier = await createVerifier(await keyTrust(publicPem), keyPolicy);
    await signTree({ ...here.signing, signer: keySigner(pem), verifier }, here.ref);
    const report = await rootReport(here, await createVerifier(await keyTrust(otherPem), keyPolicy));
    expect(codes(report)).toEqual(['signature']);
  });

  test('a bare key does not pass where an identity is asked for, nor the other way round', async () => {
    const here = await stage(kit());
    const verifier = await createVerifier(await keyTrust(publicPem), keyPolicy);
    await signTree({ ...here.signing, signer: keySigner(pem), verifier }, here.ref);
    expect(codes(await rootReport(here))).toEqual(['untrusted-key']);
    const keyless = await stage(kit());
    await keyless.sign();
    expect(codes(await rootReport(keyless, verifier))).toEqual(['untrusted-key']);
  });

  test.each([
    ['an RSA key', () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey],
    ['a P-384 key', () => generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey],
  ])('%s is refused with what would do', (_name, make) => {
    const text = make().export({ type: 'pkcs8', format: 'pem' }) as string;
    expect(() => keySigner(text)).toThrow(expect.objectContaining({ code: 'sigstore/key' }) as Error);
  });
});
