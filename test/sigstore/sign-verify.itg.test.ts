import { beforeAll, describe, expect, test } from 'vitest';
import { attestTree, signTree, verifyTree } from '../../src/flows/trust/index.ts';
import { predicateTypes } from '../../src/sigstore/index.ts';
import { provenance, sbomFor, signerFor, stage, useKit, verifierFor, type StageOptions } from './stage.ts';

const kit = useKit();

/** Every kind of registry holds the same proofs. */
const legs: readonly [string, StageOptions][] = [
  ['a registry with the referrers API', { referrers: 'api' }],
  ["a registry with Quay's ways", { referrers: 'quay' }],
  ['a registry that knows fallback tags only', { referrers: 'none' }],
];

describe.each(legs)('%s', (_name, options) => {
  test('a signed and attested tree is proven on every node', async () => {
    const here = await stage(kit(), options);
    await here.sign();
    await here.attest();
    const report = await verifyTree(here.registry, here.ref, here.signing.verifier);
    expect(report.ok).toBe(true);
    expect(report.digest).toBe(here.image.root.digest);
    const proven = report.nodes.map(({ name, proofs }) => [name, proofs.map(({ attestation }) => attestation).sort()]);
    expect(proven).toEqual([
      ['index', ['provenance', 'signature']],
      ['linux/amd64', ['provenance', 'sbom', 'signature']],
      ['linux/arm64', ['provenance', 'sbom', 'signature']],
    ]);
    expect(report.nodes.flatMap(({ refused }) => refused)).toEqual([]);
  });

  test('a second run adds nothing', async () => {
    const here = await stage(kit(), options);
    await here.sign();
    await here.attest();
    const before = here.memory?.log.filter((line) => line.startsWith('PUT') || line.startsWith('POST')).length;
    const signed = await signTree(here.signing, here.ref);
    expect(signed.bundles.map(({ how }) => how)).toEqual(['present', 'present', 'present']);
    await here.attest();
    expect(here.memory?.log.filter((line) => line.startsWith('PUT') || line.startsWith('POST')).length).toBe(before);
  });

  test('an unsigned tree lacks everything, and each node says what', async () => {
    const here = await stage(kit(), options);
    const report = await verifyTree(here.registry, here.ref, here.signing.verifier);
    expect(report.ok).toBe(false);
    expect(report.nodes.map(({ missing }) => missing)).toEqual([
      ['signature', 'provenance'],
      ['signature', 'provenance', 'sbom'],
      ['signature', 'provenance', 'sbom'],
    ]);
  });
});

describe('one certificate', () => {
  test('serves for a whole tree', async () => {
    const here = await stage(kit());
    const before = { ...kit().counts };
    await here.sign();
    await here.attest();
    expect(kit().counts.fulcio - before.fulcio).toBe(1);
    expect(kit().counts.oidc - before.oidc).toBe(1);
    // 3 signatures, 3 provenances, 2 SBOMs.
    expect(kit().counts.rekor - before.rekor).toBe(8);
  });

  test('is replaced before it ends', async () => {
    const here = await stage(kit());
    const exp = Math.floor(Date.now() / 1000) + 3600;
    const signing = { ...here.signing, signer: signerFor(kit(), here.host, { exp }) };
    const before = kit().counts.fulcio;
    await signTree(signing, here.ref);
    expect(kit().counts.fulcio - before).toBe(1);
    here.host.advance(9 * 60_000);
    await signing.signer.sign(Buffer.from('later'));
    expect(kit().counts.fulcio - before).toBe(2);
  });
});

describe('what is attached', () => {
  let bundle: Record<string, unknown>;
  let manifest: Record<string, unknown>;
  beforeAll(async () => {
    // Its own registry is closed after the first test; what is looked at was read before.
    const here = await stage(kit());
    await here.sign();
    const { referrers } = await here.registry.referrers(here.repo, here.image.arm64.digest);
    const [first] = referrers;
    manifest = JSON.parse(first?.fetched.bytes.toString() ?? '{}') as Record<string, unknown>;
    const layer = first?.fetched.node.blobs[1];
    if (layer === undefined) throw new Error('no bundle');
    const bytes = Buffer.concat((await here.registry.blob(here.repo, layer).toArray()) as Buffer[]);
    bundle = JSON.parse(bytes.toString()) as Record<string, unknown>;
  });

  test('is the manifest that cosign 3 writes', () => {
    expect(manifest).toMatchObject({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      config: {
        mediaType: 'application/vnd.oci.empty.v1+json',
        digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
        size: 2,
      },
      layers: [{ mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json' }],
      annotations: {
        'dev.sigstore.bundle.content': 'dsse-envelope',
        'dev.sigstore.bundle.predicateType': 'https://sigstore.dev/cosign/sign/v1',
      },
    });
  });

  test('is a v0.3 bundle over a statement with an empty predicate and no key id', () => {
    expect(bundle['mediaType']).toBe('application/vnd.dev.sigstore.bundle.v0.3+json');
    const envelope = bundle['dsseEnvelope'] as { payload: string; signatures: { keyid?: string }[] };
    const statement = JSON.parse(Buffer.from(envelope.payload, 'base64').toString()) as Record<string, unknown>;
    expect(statement).toMatchObject({ predicateType: predicateTypes.signature, predicate: {} });
    expect(statement['subject']).toEqual([{ digest: { sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string } }]);
    expect(envelope.signatures[0]?.keyid ?? '').toBe('');
    expect(bundle['verificationMaterial']).toMatchObject({
      tlogEntries: [{ kindVersion: { kind: 'dsse', version: '0.0.1' } }],
      timestampVerificationData: { rfc3161Timestamps: [{}] },
    });
  });
});

describe('refusing to sign', () => {
  test('a tag is refused: it may move', async () => {
    const here = await stage(kit());
    const tagged = { ...here.repo, tag: 'v1' };
    await expect(signTree(here.signing, tagged)).rejects.toMatchObject({ code: 'trust/no-digest' });
  });

  test('an image that expires is refused, and nothing is attached', async () => {
    const here = await stage(kit(), { labels: { 'quay.expires-after': '48h' } });
    await expect(here.sign()).rejects.toMatchObject({ code: 'trust/expiring' });
    expect((await here.registry.referrers(here.repo, here.image.root.digest)).referrers).toEqual([]);
  });

  test('attesting what nobody signed is refused', async () => {
    const here = await stage(kit());
    await expect(here.attest()).rejects.toMatchObject({ code: 'trust/unsigned' });
  });

  test('attesting with the plan of another build is refused', async () => {
    const here = await stage(kit(), { labels: { 'io.ambient-code.input-digest': `sha256:${'0'.repeat(64)}` } });
    await here.sign();
    await expect(here.attest()).rejects.toMatchObject({ code: 'trust/other-inputs' });
  });

  test('an image without an SBOM is refused before anything is attached', async () => {
    const here = await stage(kit());
    await here.sign();
    const sboms = new Map([[here.image.amd64.digest, sbomFor(here.image.amd64.digest)]]);
    await expect(attestTree(here.signing, here.ref, { provenance, sboms })).rejects.toMatchObject({
      code: 'trust/sbom',
    });
  });

  test.each([
    ['100 MB', 100_000_000],
    ['3 MB', 3_000_000],
  ])('an SBOM of %s is refused with its size before anything is logged or attached', async (_size, length) => {
    const here = await stage(kit());
    await here.sign();
    const asked = kit().counts.rekor;
    const huge = JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.6', notes: 'x'.repeat(length) });
    const sboms = new Map([here.image.amd64, here.image.arm64].map(({ digest }) => [digest, huge]));
    await expect(attestTree(here.signing, here.ref, { provenance, sboms })).rejects.toMatchObject({
      code: 'sigstore/too-large',
    });
    expect(kit().counts.rekor).toBe(asked);
    expect((await here.registry.referrers(here.repo, here.image.root.digest)).referrers.length).toBe(1);
  });

  test('a policy that asks for a timestamp authority is satisfied by ours', async () => {
    const here = await stage(kit());
    await here.sign();
    const strict = await verifierFor(kit(), { timestamps: 'tsa', require: ['signature'] });
    expect((await verifyTree(here.registry, here.ref, strict)).ok).toBe(true);
  });
});
