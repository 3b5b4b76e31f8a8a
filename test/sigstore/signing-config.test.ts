import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/core/index.ts';
import { makeSigningContext, signTree, verifyTree } from '../../src/flows/trust/index.ts';
import {
  imageSignature,
  keylessSigner,
  keySigner,
  legacyAttestation,
  readSigningConfig,
  signLegacy,
  signStatement,
} from '../../src/sigstore/index.ts';
import { fakeHost } from '../support/fake-host.ts';
import { newKeyPair } from '../../src/lab/sigstore/keys.ts';
import { signingConfig } from '../support/sigstore/signing-config.ts';
import { stage, useKit, verifierFor } from './stage.ts';

const kit = useKit();
const subject = digestOf('an image');
type Config = ReturnType<typeof readSigningConfig>;
const configOf = (log: 1 | 2) => readSigningConfig(JSON.stringify(signingConfig(kit().url, log)));
const host = () => fakeHost({ now: new Date() });
const signerOf = (config: Config) =>
  keylessSigner(host(), { signingConfig: config, retries: 0 }, async () => kit().token());

interface BundleJson {
  readonly verificationMaterial: {
    readonly tlogEntries: readonly { readonly kindVersion: object; readonly inclusionPromise?: object }[];
    readonly timestampVerificationData: { readonly rfc3161Timestamps: readonly object[] };
  };
}

describe.each([
  [1, '0.0.1'],
  [2, '0.0.2'],
] as const)('a signing config whose log is Rekor %i', (log, version) => {
  test('leads to a bundle with an entry of that version and a timestamp, which verifies', async () => {
    const bytes = await signStatement(host(), signerOf(configOf(log)), imageSignature(subject));
    const { verificationMaterial: material } = JSON.parse(bytes.toString()) as BundleJson;
    expect(material.tlogEntries.map(({ kindVersion }) => kindVersion)).toEqual([{ kind: 'dsse', version }]);
    expect(material.tlogEntries[0]?.inclusionPromise === undefined).toBe(log === 2);
    expect(material.timestampVerificationData.rfc3161Timestamps).toHaveLength(1);
    const result = await (await verifierFor(kit())).bundle(bytes, subject);
    expect(result).toMatchObject({ $case: 'verified', timestamps: 1 });
  });

  test('needs one certificate for a whole tree', async () => {
    const here = await stage(kit());
    const before = kit().counts.fulcio;
    const signer = keylessSigner(here.host, { signingConfig: configOf(log) }, async () => kit().token());
    await signTree({ ...here.signing, signer }, here.ref);
    expect(kit().counts.fulcio - before).toBe(1);
    const report = await verifyTree(here.registry, here.ref, await verifierFor(kit(), { require: ['signature'] }));
    expect(report.ok).toBe(true);
  });
});

describe('Rekor 2', () => {
  test('answers within limits, too', async () => {
    kit().fail('rekor', () => 'endless', 1);
    const signing = signStatement(host(), signerOf(configOf(2)), imageSignature(subject));
    await expect(signing).rejects.toMatchObject({ code: 'sigstore/rekor', exit: 3 });
  });

  test('of an entry of another form nothing is made', async () => {
    kit().fail('rekor', () => ({ status: 201, body: '{"logId":{"keyId":"AA=="},"kindVersion":{}}' }), 1);
    const signing = signStatement(host(), signerOf(configOf(2)), imageSignature(subject));
    await expect(signing).rejects.toMatchObject({
      code: 'sigstore/rekor',
      facts: { found: expect.stringContaining('logId.keyId: expected a SHA-256 hash') as string },
    });
  });

  test('gives cosign 2’s tags no entry that cosign 2 could read: that is said, not written', async () => {
    const legacy = signLegacy(host(), signerOf(configOf(2)), subject, 'registry.example/team/runner');
    await expect(legacy).rejects.toMatchObject({ exit: 2, code: 'sigstore/legacy' });
    const bundle = await signStatement(host(), signerOf(configOf(2)), imageSignature(subject));
    await expect(legacyAttestation(bundle, 'x')).rejects.toMatchObject({ exit: 2, code: 'sigstore/legacy' });
  });

  test('takes no bare key, which @sigstore/sign would send as a certificate', () => {
    const pem = newKeyPair().privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    expect(() => keySigner(pem, { signingConfig: configOf(2) })).toThrow(
      expect.objectContaining({ code: 'sigstore/signing-config', exit: 2 }) as Error,
    );
  });
});

describe('a signing config', () => {
  test('whose newest log has not started yet leads to the one that has', async () => {
    const config = configOf(1);
    const start = new Date(Date.now() + 86_400_000);
    const next = { url: 'http://127.0.0.1:9', majorApiVersion: 2, operator: '', validFor: { start, end: undefined } };
    const signer = signerOf({ ...config, rekorTlogUrls: [next, ...config.rekorTlogUrls] });
    const bytes = await signStatement(host(), signer, imageSignature(subject));
    expect((await (await verifierFor(kit())).bundle(bytes, subject)).$case).toBe('verified');
  });

  test.each([
    ['text', 'here'],
    ['null', 'null'],
    ['a trusted root', JSON.stringify({ mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1' })],
    ['a file address', JSON.stringify({ ...signingConfig('http://kit.example'), caUrls: [{ url: 'file:///etc' }] })],
  ])('made of %s is refused', (_name, text) => {
    expect(() => readSigningConfig(text)).toThrow(
      expect.objectContaining({ code: 'sigstore/signing-config', exit: 2 }) as Error,
    );
  });

  test('is read from the file that --signing-config names, which no address contradicts', async () => {
    const here = await stage(kit());
    const directory = await here.host.files.temporaryDirectory('signing-config-');
    const [config, root] = [join(directory, 'config.json'), join(directory, 'root.json')];
    await here.host.files.write(config, JSON.stringify(signingConfig(kit().url, 2)));
    await here.host.files.write(root, JSON.stringify(kit().trustedRoot));
    const make = async (more: object) =>
      await makeSigningContext(here.host, here.registry, { signingConfig: config, ...more }, { trustedRoot: root });
    const { signer } = await make({});
    expect([signer.$case, signer.parts.logVersion]).toEqual(['keyless', 2]);
    await expect(make({ rekor: kit().url })).rejects.toMatchObject({ code: 'trust/services', exit: 2 });
    await here.host.files.remove(directory);
  });

  test('without a CA is refused by name', () => {
    const config = { ...configOf(1), caUrls: [] };
    expect(() => signerOf(config)).toThrow(expect.objectContaining({ code: 'sigstore/signing-config' }) as Error);
  });
});
