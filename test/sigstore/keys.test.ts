import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, sign, X509Certificate, type KeyObject } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/core/index.ts';
import {
  createVerifier,
  imageSignature,
  keySigner,
  keyTrust,
  policySchema,
  readTrustedRoot,
  signStatement,
  type Signer,
} from '../../src/sigstore/index.ts';
import { signerCertificates } from '../../src/sigstore/signer-certificate.ts';
import { fakeHost } from '../support/fake-host.ts';
import { servicesOf, useKit } from './stage.ts';

const kit = useKit();
const subject = digestOf('an image');
const host = () => fakeHost({ now: new Date() });
const pemOf = (key: KeyObject): string =>
  key.export({ type: key.type === 'private' ? 'pkcs8' : 'spki', format: 'pem' }) as string;
const policy = policySchema.parse({ version: 1, signer: { key: 'k.pub' }, require: ['signature'] });
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });

interface Pair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** A signer as another tool has it: any key, any digest. */
function signerWith({ publicKey, privateKey }: Pair, digest: string | null): Signer {
  return {
    ...keySigner(pemOf(p256.privateKey)),
    sign: async (data) => ({
      signature: sign(digest, data, privateKey),
      key: { $case: 'publicKey', publicKey: pemOf(publicKey) },
    }),
  };
}

describe('a signature with a key', () => {
  test.each<[string, Pair, string | null]>([
    ['P-256', p256, 'sha256'],
    ['P-384 and SHA-384', generateKeyPairSync('ec', { namedCurve: 'P-384' }), 'sha384'],
    ['P-384 and SHA-256, as cosign 2 signs', generateKeyPairSync('ec', { namedCurve: 'P-384' }), 'sha256'],
    ['P-521', generateKeyPairSync('ec', { namedCurve: 'P-521' }), 'sha512'],
    ['Ed25519', generateKeyPairSync('ed25519'), null],
    ['RSA 3072', generateKeyPairSync('rsa', { modulusLength: 3072 }), 'sha256'],
  ])('%s verifies by that key and by no other', async (_name, pair, digest) => {
    const bundle = await signStatement(host(), signerWith(pair, digest), imageSignature(subject));
    const verifier = await createVerifier(await keyTrust(pemOf(pair.publicKey)), policy);
    expect(await verifier.bundle(bundle, subject)).toMatchObject({ $case: 'verified' });
    const other = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    const stranger = await createVerifier(await keyTrust(pemOf(other.publicKey)), policy);
    expect(await stranger.bundle(bundle, subject)).toMatchObject({ $case: 'refused', code: 'signature' });
  });

  test.each<[string, Pair]>([
    ['RSA 2048', generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['secp256k1', generateKeyPairSync('ec', { namedCurve: 'secp256k1' })],
    ['DSA', generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 })],
  ])('%s is refused before anything is verified', async (_name, { publicKey }) => {
    await expect(keyTrust(pemOf(publicKey))).rejects.toMatchObject({ code: 'sigstore/key', exit: 2 });
  });

  test('in a log that is not trusted holds by the key alone, and claims neither entry nor time', async () => {
    const { fulcio: _none, ...services } = servicesOf(kit());
    const signer = keySigner(pemOf(p256.privateKey), services);
    const bundle = await signStatement(host(), signer, imageSignature(subject));
    expect(bundle.toString()).toContain('canonicalizedBody');
    const trust = await keyTrust(pemOf(p256.publicKey));
    const result = await (await createVerifier(trust, policy)).bundle(bundle, subject);
    expect(result).toMatchObject({ $case: 'verified', timestamps: 0 });
    expect(result).not.toHaveProperty('logIndex', expect.anything());
    const timed = await createVerifier(trust, { ...policy, timestamps: 'tsa' });
    expect(await timed.bundle(bundle, subject)).toMatchObject({ code: 'no-timestamp' });
    const root = await readTrustedRoot(JSON.stringify(kit().trustedRoot), 'key');
    const logged = await createVerifier(await keyTrust(pemOf(p256.publicKey), root), policy);
    expect(await logged.bundle(bundle, subject)).toMatchObject({ $case: 'verified', timestamps: 1 });
  });
});

test('a certificate for an RSA key of 2048 bits is none to sign with', () => {
  const directory = mkdtempSync(join(tmpdir(), 'rsa-'));
  const [key, out] = [join(directory, 'key.pem'), join(directory, 'leaf.pem')];
  const usage = ['-addext', 'extendedKeyUsage=codeSigning', '-addext', 'basicConstraints=critical,CA:FALSE'];
  const usageOf = (size: number) => {
    const args = ['req', '-x509', '-newkey', `rsa:${size}`, '-nodes', '-keyout', key, '-out', out, '-subj', '/CN=x'];
    execFileSync('openssl', [...args, ...usage], { stdio: 'ignore' });
    return signerCertificates()(new X509Certificate(readFileSync(out)).raw).usage;
  };
  expect(usageOf(2048)).toMatchObject({
    code: 'certificate',
    detail: 'an RSA key of 2048 bits, at least 3072 are asked for',
  });
  expect(usageOf(3072)).toBeUndefined();
  rmSync(directory, { recursive: true });
});
