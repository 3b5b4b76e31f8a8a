import { sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { hexOf } from '../../src/core/index.ts';
import {
  keySigner,
  legacyAttestation,
  makeStatement,
  signLegacy,
  verifyLegacyLayer,
  type LegacyLayer,
  type Statement,
} from '../../src/sigstore/index.ts';
import { fakeHost } from '../support/fake-host.ts';
import {
  envelope,
  madeHere,
  other,
  otherSbom,
  ours,
  refused,
  signed,
  subject,
  theirs,
  verifier,
  withType,
  type Changes,
} from './key-kit.ts';
import { provenance } from './stage.ts';

describe('a layer of cosign 2’s attestation tag', () => {
  const attestation = async (statement: Statement, key = ours): Promise<LegacyLayer> =>
    await legacyAttestation(await signed(statement, key), statement.predicateType);
  /** The verdict on the layer with its text changed. */
  async function verdict({ descriptor, bytes }: LegacyLayer, change = (text: string) => text, policy: Changes = {}) {
    return await verifyLegacyLayer(await verifier(policy), descriptor, Buffer.from(change(bytes.toString())), subject);
  }

  test('about the image is believed', async () => {
    expect(await verdict(await attestation(madeHere))).toMatchObject({ $case: 'verified', attestation: 'provenance' });
  });

  test.each<[string, Statement, Changes]>([
    ['about another image', makeStatement('provenance', other, provenance()), refused('other-subject')],
    ['with a predicate of nobody', withType('https://example.com/v1'), refused('unknown-predicate', 'example.com')],
    ['with the SBOM of another image', otherSbom, refused('other-image', hexOf(other))],
  ])('%s is refused', async (_name, statement, code) => {
    expect(await verdict(await attestation(statement))).toEqual(code);
  });

  test.each<[string, unknown, Changes]>([
    ['no signature', { signatures: [] }, refused('malformed-bundle')],
    ['another payload type', envelope('{}', 'text/plain'), refused('malformed-bundle')],
    ['what is no statement', envelope('{}'), refused('malformed-statement')],
    ['ten thousand lists', { x: Array.from({ length: 10_000 }, () => []) }, refused('too-large', 'values')],
  ])('with %s is refused', async (_name, changes, code) => {
    const change = (text: string): string => JSON.stringify({ ...JSON.parse(text), ...(changes as object) });
    expect(await verdict(await attestation(madeHere), change)).toEqual(code);
  });

  test('with two signatures, both of the key, is refused', async () => {
    const change = (text: string): string => {
      const { signatures, ...rest } = JSON.parse(text) as { readonly signatures: readonly object[] };
      return JSON.stringify({ ...rest, signatures: [...signatures, ...signatures] });
    };
    expect(await verdict(await attestation(madeHere), change)).toEqual(refused('malformed-bundle'));
  });

  test('of another key is refused', async () => {
    expect(await verdict(await attestation(madeHere, theirs))).toEqual(refused('signature'));
  });

  test('of a type that cosign 2 does not write is refused', async () => {
    const { descriptor, bytes } = await attestation(madeHere);
    const layer = { descriptor: { ...descriptor, mediaType: 'application/json' }, bytes };
    expect(await verdict(layer)).toEqual(refused('not-a-statement', 'application/json'));
  });

  test('is refused where the policy names another builder', async () => {
    const policy = { builders: ['https://ci.example/b'] };
    expect(await verdict(await attestation(madeHere), undefined, policy)).toEqual(refused('other-builder'));
  });
});

describe('a layer of cosign 2’s signature tag', () => {
  async function verdict(layer: LegacyLayer) {
    return await verifyLegacyLayer(await verifier(), layer.descriptor, layer.bytes, subject);
  }
  const signature = (of = subject, key = ours): Promise<LegacyLayer> =>
    signLegacy(fakeHost(), keySigner(key.secret), of, 'quay.example/o/runner');
  /** Any payload, well signed. */
  async function payload(text: string): Promise<LegacyLayer> {
    const { descriptor } = await signature();
    const annotations = {
      'dev.cosignproject.cosign/signature': sign('sha256', Buffer.from(text), ours.secret).toString('base64'),
    };
    return { descriptor: { ...descriptor, annotations }, bytes: Buffer.from(text) };
  }

  test('about the image is believed', async () => {
    expect(await verdict(await signature())).toMatchObject({ $case: 'verified', attestation: 'signature' });
  });

  test('about another image is refused', async () => {
    expect(await verdict(await signature(other))).toEqual(refused('other-subject', other));
  });

  test('of another key is refused', async () => {
    expect(await verdict(await signature(subject, theirs))).toEqual(refused('signature'));
  });

  test.each([
    ['another document', '{}'],
    [
      'another purpose',
      JSON.stringify({
        critical: { image: { 'docker-manifest-digest': subject }, type: 'atomic container signature' },
      }),
    ],
  ])('of %s is refused', async (_name, text) => {
    expect(await verdict(await payload(text))).toEqual(refused('malformed-statement', 'no simple signing payload'));
  });

  test('that has lost its signature is refused', async () => {
    const { descriptor, bytes } = await signature();
    expect(await verdict({ descriptor: { ...descriptor, annotations: {} }, bytes })).toEqual(refused('signature'));
  });
});
