import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/core/index.ts';
import { signLegacy, signStatement, imageSignature, verifyLegacyLayer } from '../../src/sigstore/index.ts';
import { witnesses } from '../../src/sigstore/witnesses.ts';
import { fakeHost } from '../support/fake-host.ts';
import type { BundleJson } from './attach-raw.ts';
import { signerFor, useKit, verifierFor } from './stage.ts';

const kit = useKit();
const subject = digestOf('an image');

/** A layer of a `.sig` tag as `cosign sign --timestamp-server-url` leaves it, with the timestamp of `stamped`. */
async function verdict(policy: Readonly<Record<string, unknown>>, annotate: (genuine: string) => string | undefined) {
  const host = fakeHost({ now: new Date() });
  const signer = signerFor(kit(), host);
  const { descriptor, bytes } = await signLegacy(host, signer, subject, 'quay.example/o/runner');
  const { annotations = {} } = descriptor;
  const signature = Buffer.from(annotations['dev.cosignproject.cosign/signature'] ?? '', 'base64');
  const messageDigest = { algorithm: 1, digest: Buffer.alloc(32) };
  const content = { $case: 'messageSignature', messageSignature: { messageDigest, signature } } as const;
  const authority = witnesses(host, signer, { tsa: true }).at(-1);
  const made = await authority?.testify(content, '');
  const stamp = Buffer.from(made?.rfc3161Timestamps?.[0]?.signedTimestamp ?? '').toString('base64');
  const annotation = annotate(stamp);
  const stamped =
    annotation === undefined
      ? annotations
      : {
          ...annotations,
          'dev.sigstore.cosign/rfc3161timestamp': JSON.stringify({ SignedRFC3161Timestamp: annotation }),
        };
  const verifier = await verifierFor(kit(), { require: ['signature'], legacy: true, ...policy });
  return await verifyLegacyLayer(verifier, { ...descriptor, annotations: stamped }, bytes, subject);
}

/** A timestamp of the same authority, of another signature. */
async function another(): Promise<string> {
  const host = fakeHost({ now: new Date() });
  const bundle = JSON.parse(
    (await signStatement(host, signerFor(kit(), host), imageSignature(subject))).toString(),
  ) as BundleJson;
  return bundle.verificationMaterial.timestampVerificationData.rfc3161Timestamps[0]?.signedTimestamp ?? '';
}

describe('the timestamp of a signature of cosign 2', () => {
  const tsa = { timestamps: 'tsa' };

  test('is verified, and counts where the policy asks for one', async () => {
    expect(await verdict(tsa, (genuine) => genuine)).toMatchObject({ $case: 'verified', timestamps: 1 });
  });

  test('is not needed where the policy asks for none', async () => {
    expect(await verdict({}, () => undefined)).toMatchObject({ $case: 'verified', timestamps: 0 });
    expect(await verdict(tsa, () => undefined)).toMatchObject({ $case: 'refused', code: 'no-timestamp' });
  });

  test('of another signature is refused, whatever the policy asks for', async () => {
    const wrong = await another();
    for (const policy of [tsa, {}])
      expect(await verdict(policy, () => wrong)).toMatchObject({ $case: 'refused', code: 'timestamp' });
  });

  test.each([
    ['that is none', 'AAAA', 'malformed-bundle'],
    ['of 18 kB', 'A'.repeat(24_000), 'too-large'],
    ['that is no base64', '?', 'malformed-bundle'],
  ])('%s is refused', async (_name, annotation, code) => {
    expect(await verdict({}, () => annotation)).toMatchObject({ $case: 'refused', code });
  });
});
