import { ASN1Obj, X509Certificate } from '@sigstore/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { KnownCertificate } from '../../src/sigstore/known-certificate.ts';
import { startFulcio } from '../../src/lab/sigstore/fulcio.ts';
import { startTsa } from '../../src/lab/sigstore/tsa.ts';

let certificates: readonly Buffer[];
beforeAll(async () => {
  const [fulcio, tsa] = await Promise.all([startFulcio(() => new Date()), startTsa(() => new Date())]);
  certificates = [...tsa.chain, fulcio.rootCertificate];
});

const parsed = () => certificates.map((der) => X509Certificate.parse(Buffer.from(der)));
const known = () => certificates.map((der) => new KnownCertificate(ASN1Obj.parseBuffer(Buffer.from(der))));
/** Every answer of every certificate about every other one, and about itself. */
const answers = (ones: readonly X509Certificate[], others: readonly X509Certificate[]) =>
  ones.map((one) => [one.verify(), ...others.flatMap((other) => [one.equals(other), one.verify(other)])]);

describe('a certificate that is met again and again', () => {
  test('answers as any other one does, the first time and later', () => {
    const expected = answers(parsed(), parsed());
    // Leaf and root of the timestamp authority, and another authority: some answers are yes, most are no.
    expect(new Set(expected.flat())).toEqual(new Set([true, false]));
    const [ones, others] = [known(), known()];
    for (let round = 0; round < 2; round += 1) {
      expect(answers(ones, others)).toEqual(expected);
      expect(answers(ones, ones)).toEqual(expected);
      expect(answers(ones, parsed())).toEqual(expected);
      expect(answers(parsed(), ones)).toEqual(expected);
    }
    expect(ones.map(({ publicKey }) => publicKey)).toEqual(parsed().map(({ publicKey }) => publicKey));
  });

  test('is not changed by whoever changes a copy of it', () => {
    for (const one of known()) {
      const before = Buffer.from(one.der);
      const copy = one.clone();
      copy.extensions.splice(0, 1);
      expect(copy.root.toDER().equals(before)).toBe(false);
      expect(one.der.equals(before)).toBe(true);
      expect(one.root.toDER().equals(before)).toBe(true);
    }
  });
});
