import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { digestOf } from '../../src/core/index.ts';
import { githubIssuer } from '../../src/lab/sigstore/identity.ts';
import { status } from '../../src/lab/sigstore/kit.ts';
import {
  createVerifier,
  imageSignature,
  policySchema,
  type KeylessSigner,
  readTrustedRoot,
  signStatement,
} from '../../src/sigstore/index.ts';
import { fakeHost } from '../support/fake-host.ts';
import { issuerClaim, ownAuthority, x509, type CertificateOptions, type OwnAuthority } from './own-authority.ts';
import { signerFor, useKit, workflow } from './stage.ts';

const kit = useKit();
const subject = digestOf('an image');
let authority: OwnAuthority;
beforeAll(async () => {
  authority = await ownAuthority(kit());
});
afterEach(() => {
  kit().fail('fulcio', status(200), 0);
});

/** What becomes of a signature by a certificate of an authority that is trusted and issues anything. */
async function verdict(options: CertificateOptions, signer: Partial<KeylessSigner> = {}) {
  kit().fail('fulcio', authority.issue(options));
  const host = fakeHost({ now: new Date() });
  const bundle = await signStatement(host, signerFor(kit(), host), imageSignature(subject));
  // The schema asks for a workflow's repository, ref and trigger; here each claim is looked at by itself.
  const rest = policySchema.parse({ version: 1, signer: { key: 'replaced' } });
  const policy = { ...rest, signer: { issuer: githubIssuer, identities: [workflow], ...signer } };
  const verifier = await createVerifier(await readTrustedRoot(authority.trustedRoot), policy);
  return await verifier.bundle(bundle, subject);
}
const refusedAs = (code: string, detail: string) => ({
  $case: 'refused',
  code,
  detail: expect.stringContaining(detail) as string,
});

describe('a certificate of a trusted authority', () => {
  test('as Fulcio issues it is trusted', async () => {
    expect(await verdict({})).toMatchObject({ $case: 'verified', identity: { name: workflow, issuer: githubIssuer } });
  });

  test('with the issuer in the oldest extension alone is trusted', async () => {
    const claims = [{ oid: '1.3.6.1.4.1.57264.1.1', value: githubIssuer, legacy: true }];
    expect(await verdict({ claims })).toMatchObject({ $case: 'verified', identity: { issuer: githubIssuer } });
  });

  test.each<[string, CertificateOptions, string]>([
    ['that no certificate log has', { logged: false }, 'expected 1 SCTs, got 0'],
    [
      'of an authority, even one that may sign code',
      { usage: [x509.certificateSigning, x509.codeSigning, x509.authority] },
      'a CA certificate signed it',
    ],
    ['of a server', { usage: [x509.signing, x509.serverAuthentication] }, 'it is not meant for signing code'],
    ['of no stated use', { usage: [x509.signing] }, 'it is not meant for signing code'],
    ['without an issuer', { claims: [] }, 'the certificate names no signer'],
  ])('%s is none to sign with', async (_name, options, detail) => {
    expect(await verdict(options)).toEqual(refusedAs('certificate', detail));
  });

  describe.each([
    ['repository', '12', 'https://github.com/o/r'],
    ['commit', '13', '1'.repeat(40)],
    ['ref', '14', 'refs/heads/main'],
    ['workflow', '18', workflow],
    ['runnerEnvironment', '11', 'github-hosted'],
    ['trigger', '20', 'push'],
  ])('asked for its %s', (name, arc, wanted) => {
    const claim = (value: string) => ({ claims: [issuerClaim, { oid: `1.3.6.1.4.1.57264.1.${arc}`, value }] });
    const asked = { [name]: name === 'ref' || name === 'trigger' ? [wanted] : wanted };

    test('is trusted with that very value', async () => {
      expect(await verdict(claim(wanted), asked)).toMatchObject({ $case: 'verified' });
    });

    test('is refused with a longer value', async () => {
      expect(await verdict(claim(`${wanted}-2`), asked)).toEqual(refusedAs('other-claim', `${name} is ${wanted}-2`));
    });

    test('is refused when it says nothing of it', async () => {
      expect(await verdict({}, asked)).toEqual(refusedAs('other-claim', `${name} is not there, not ${wanted}`));
    });
  });

  test.each([
    ['another workflow', { identities: [`${workflow}-2`] }, 'other-identity'],
    ['a workflow whose name it begins with', { identities: [workflow.slice(0, -1)] }, 'other-identity'],
    ['an issuer whose name it begins with', { issuer: githubIssuer.slice(0, -1) }, 'other-issuer'],
  ])('is refused where the policy names %s', async (_name, signer, code) => {
    expect(await verdict({}, signer)).toEqual(refusedAs(code, ', not '));
  });

  test('is trusted where the policy names its holder beside another', async () => {
    expect(await verdict({}, { identities: [`${workflow}-2`, workflow] })).toMatchObject({ $case: 'verified' });
  });
});
