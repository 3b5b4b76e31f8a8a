import { X509Certificate } from '@sigstore/core';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/core/index.ts';
import { identityOf } from '../../src/sigstore/certificate.ts';
import { fakeHost } from '../support/fake-host.ts';
import { signedJson } from './attach-raw.ts';
import { signerFor, useKit, workflow } from './stage.ts';

const kit = useKit();

/** The certificate of a genuine bundle, whose signature no longer holds once its bytes are changed. */
async function certificate(change: (der: Buffer) => void): Promise<X509Certificate> {
  const json = await signedJson(signerFor(kit(), fakeHost({ now: new Date() })), digestOf('an image'));
  const der = Buffer.from(json.verificationMaterial.certificate?.rawBytes ?? '', 'base64');
  change(der);
  return X509Certificate.parse(der);
}

/** The DER of an object identifier that Fulcio's extensions begin with, and its last arc. */
const oid = (arc: number): Buffer => Buffer.from([0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xbf, 0x30, 0x01, arc]);

function placeOf(der: Buffer, part: Buffer | string, from = 0): number {
  const at = der.indexOf(part, from);
  if (at < 0) throw new Error('the certificate lacks it');
  return at;
}

describe('a certificate', () => {
  test('names its holder and who vouches for it', async () => {
    const identity = identityOf(await certificate(() => undefined));
    expect(identity).toMatchObject({ name: workflow, issuer: 'https://token.actions.githubusercontent.com' });
  });

  test('whose name is the trusted one but for high bits names no holder', async () => {
    const changed = await certificate((der) => {
      const at = placeOf(der, workflow);
      der.writeUInt8(der.readUInt8(at) | 0x80, at);
    });
    // What @sigstore/core makes of it.
    expect(changed.subjectAltName).toBe(workflow);
    expect(identityOf(changed)).toBeUndefined();
  });

  test('whose issuer is no UTF8String is not read by the older extension instead', async () => {
    const changed = await certificate((der) => {
      const value = placeOf(der, 'https://token', placeOf(der, oid(8)));
      expect(der.readUInt8(value - 2)).toBe(0x0c);
      der.writeUInt8(0x16, value - 2);
    });
    expect(identityOf(changed)).toBeUndefined();
  });

  test('with one extension twice names no holder', async () => {
    const changed = await certificate((der) => {
      // The old issuer's becomes a second one that names the repository.
      der.writeUInt8(12, placeOf(der, oid(1)) + 9);
    });
    expect(identityOf(changed)).toBeUndefined();
  });
});
