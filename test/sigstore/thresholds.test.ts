import { expect, test } from 'vitest';
import { createVerifier, imageSignature, keyTrust, policySchema, readTrustedRoot } from '../../src/sigstore/index.ts';
import { fakeHost } from '../support/fake-host.ts';
import { bytesOf, signedJson, type BundleJson } from './attach-raw.ts';
import { ours, refused, signed, subject, verifier } from './key-kit.ts';
import { signerFor, useKit, verifierFor } from './stage.ts';

const kit = useKit();
const keyless = () => signedJson(signerFor(kit(), fakeHost({ now: new Date() })), subject);

test('a key is none where the policy asks for an identity', async () => {
  const bundle = await signed(imageSignature(subject));
  expect(await (await verifierFor(kit())).bundle(bundle, subject)).toEqual(refused('untrusted-key', 'a bare key'));
});

test('a certificate is none where the policy asks for a key', async () => {
  expect(await (await verifier()).bundle(bytesOf(await keyless()), subject)).toEqual(
    refused('untrusted-key', 'a certificate signed it'),
  );
});

test('a key that is trusted together with a log has to be in it', async () => {
  const root = await readTrustedRoot(JSON.stringify(kit().trustedRoot), 'key');
  const policy = policySchema.parse({ version: 1, signer: { key: 'k.pub' } });
  const demanding = await createVerifier(await keyTrust(ours.open, root), policy);
  expect(await demanding.bundle(await signed(imageSignature(subject)), subject)).toEqual(refused('timestamp'));
});

test.each<[string, (bundle: BundleJson) => unknown, string]>([
  ['a log entry', ({ verificationMaterial: one }) => one.tlogEntries.splice(0), 'log-entry'],
  [
    'a time of any kind',
    ({ verificationMaterial: one }) => [
      one.tlogEntries.splice(0),
      one.timestampVerificationData.rfc3161Timestamps.splice(0),
    ],
    'timestamp',
  ],
])('an identity without %s is refused', async (_name, change, code) => {
  const bundle = await keyless();
  change(bundle);
  expect(await (await verifierFor(kit())).bundle(bytesOf(bundle), subject)).toEqual(refused(code));
});
