import { describe, expect, test } from 'vitest';
import { hexOf } from '../../src/core/index.ts';
import {
  imageSignature,
  makeStatement,
  maxBundleBytes,
  predicateTypes,
  type Statement,
} from '../../src/sigstore/index.ts';
import type { BundleJson } from './attach-raw.ts';
import {
  envelope,
  madeHere,
  other,
  otherSbom,
  refused,
  signed,
  subject,
  verifier,
  withType,
  type Changes,
} from './key-kit.ts';
import { provenance } from './stage.ts';

describe('a bundle of a trusted key', () => {
  /** The verdict on a bundle of a statement, with parts of it and of the policy changed. */
  async function verdict(
    statement: Statement,
    change: (bundle: BundleJson) => unknown = () => 0,
    policy: Changes = {},
  ) {
    const bundle = JSON.parse((await signed(statement)).toString()) as BundleJson;
    change(bundle);
    return await (await verifier(policy)).bundle(Buffer.from(JSON.stringify(bundle)), subject);
  }

  test('about the image is believed', async () => {
    expect(await verdict(imageSignature(subject))).toMatchObject({ $case: 'verified', attestation: 'signature' });
  });

  test('about several images is believed of each', async () => {
    const { subject: both } = imageSignature(other);
    const statement = { ...imageSignature(subject), subject: [...both, ...imageSignature(subject).subject] };
    expect(await verdict(statement)).toMatchObject({ $case: 'verified' });
  });

  test('by one of the policy’s builders and of one of its build types is believed', async () => {
    const { runDetails, buildDefinition } = provenance();
    const policy = { builders: [runDetails.builder.id], buildTypes: [buildDefinition.buildType] };
    expect(await verdict(madeHere, undefined, policy)).toMatchObject({ $case: 'verified', attestation: 'provenance' });
  });

  test('whose SBOM names no digest is believed for its subject', async () => {
    const bare = makeStatement('sbom', subject, { bomFormat: 'CycloneDX', specVersion: '1.6' });
    expect(await verdict(bare)).toMatchObject({ $case: 'verified', attestation: 'sbom' });
  });

  test.each<[string, Statement, Changes]>([
    ['about another image', imageSignature(other), refused('other-subject', hexOf(other))],
    [
      'about the same hex digits of another algorithm',
      { ...imageSignature(subject), subject: [{ digest: { sha512: hexOf(subject) } }] },
      refused('other-subject'),
    ],
    ['with a predicate of nobody', withType('https://example.com/v1'), refused('unknown-predicate', 'example.com')],
    ['with a longer predicate type', withType(`${predicateTypes.sbom}/v2`), refused('unknown-predicate')],
    ['with the SBOM of another image', otherSbom, refused('other-image', hexOf(other))],
    [
      'with an SBOM in another format',
      makeStatement('sbom', subject, { bomFormat: 'SPDX', specVersion: '1.6' }),
      refused('malformed-predicate', 'no CycloneDX document'),
    ],
    [
      'with a provenance that names no builder',
      makeStatement('provenance', subject, { ...provenance(), runDetails: {} }),
      refused('malformed-predicate', 'runDetails.builder'),
    ],
  ])('%s is refused', async (_name, statement, code) => {
    expect(await verdict(statement)).toEqual(code);
  });

  test.each<[string, (bundle: BundleJson) => unknown, Changes]>([
    [
      'with two signatures, both of the key',
      ({ dsseEnvelope: { signatures } }) => signatures.push(...signatures),
      refused('malformed-bundle'),
    ],
    ['with no signature', ({ dsseEnvelope: { signatures } }) => signatures.splice(0), refused('malformed-bundle')],
    [
      'of something that is no statement by its type',
      (bundle) => (bundle.dsseEnvelope = envelope(JSON.stringify(imageSignature(subject)), 'application/json')),
      refused('not-a-statement', 'it signs application/json'),
    ],
    [
      'of JSON that is no statement',
      (bundle) => (bundle.dsseEnvelope = envelope('{}')),
      refused('malformed-statement'),
    ],
    [
      'of a statement of another type',
      (bundle) =>
        (bundle.dsseEnvelope = envelope(
          JSON.stringify({ ...imageSignature(subject), _type: 'https://in-toto.io/v2' }),
        )),
      refused('malformed-statement'),
    ],
    [
      'whose payload was changed afterwards',
      ({ dsseEnvelope }) => (dsseEnvelope.payload = envelope(JSON.stringify(imageSignature(subject))).payload + 'IA=='),
      refused('signature'),
    ],
    [
      'of a bare digest',
      (bundle) => {
        Reflect.deleteProperty(bundle, 'dsseEnvelope');
        const messageDigest = { algorithm: 'SHA2_256', digest: Buffer.alloc(32).toString('base64') };
        Object.assign(bundle, { messageSignature: { messageDigest, signature: 'AAAA' } });
      },
      refused('not-a-statement', 'it signs a bare digest'),
    ],
  ])('%s is refused', async (_name, change, code) => {
    expect(await verdict(imageSignature(subject), change)).toEqual(code);
  });

  test.each<[string, Changes, Changes]>([
    ['another builder', { builders: ['https://ci.example/b'] }, refused('other-builder', 'built it')],
    ['another build type', { buildTypes: ['https://ci.example/t'] }, refused('other-build-type')],
    ['an RFC 3161 timestamp', { timestamps: 'tsa' }, refused('no-timestamp', 'RFC 3161')],
  ])('is refused where the policy asks for %s', async (_name, policy, code) => {
    expect(await verdict(madeHere, undefined, policy)).toEqual(code);
  });

  test.each([
    [maxBundleBytes, 'malformed-bundle'],
    [maxBundleBytes + 1, 'too-large'],
  ])('%s bytes that are none are %s', async (size, code) => {
    expect(await (await verifier()).bundle(Buffer.alloc(size), subject)).toEqual(refused(code));
  });
});
