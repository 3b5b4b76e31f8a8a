import { describe, expect, test } from 'vitest';
import { hexOf, mediaTypes, parseDigest } from '../../src/core/index.ts';
import { attestTree, verifyTree } from '../../src/flows/trust/index.ts';
import { keylessSigner, legacyManifest, makeStatement, signLegacy, signStatement } from '../../src/sigstore/index.ts';
import { attachRaw, blobOf, bytesOf, codes, rootReport, signedJson, type BundleJson } from './attach-raw.ts';
import { fakeHost } from '../support/fake-host.ts';
import { provenance, sbomFor, servicesOf, signerFor, stage, useKit, verifierFor, type Stage } from './stage.ts';

const kit = useKit();
const other = parseDigest(`sha256:${'9'.repeat(64)}`);

function statementOf(json: BundleJson): Record<string, unknown> {
  return JSON.parse(Buffer.from(json.dsseEnvelope.payload, 'base64').toString()) as Record<string, unknown>;
}

function entryOf(json: BundleJson): BundleJson['verificationMaterial']['tlogEntries'][number] {
  const [entry] = json.verificationMaterial.tlogEntries;
  if (entry === undefined) throw new Error('no log entry');
  return entry;
}

type Tamper = (mine: BundleJson, theirs: BundleJson, here: Stage) => void;

const tampering: readonly [string, Tamper, string][] = [
  [
    'another certificate',
    (mine, theirs) =>
      (mine.verificationMaterial.certificate = theirs.verificationMaterial.certificate ?? { rawBytes: '' }),
    'signature',
  ],
  [
    'another payload',
    (mine, _theirs, here) => {
      const changed = {
        ...statementOf(mine),
        subject: [{ digest: { sha256: hexOf(here.image.root.digest) } }],
        more: 1,
      };
      mine.dsseEnvelope.payload = bytesOf(changed).toString('base64');
    },
    'log-entry',
  ],
  [
    'another log entry',
    (mine, theirs) => (mine.verificationMaterial.tlogEntries = theirs.verificationMaterial.tlogEntries),
    'log-entry',
  ],
  ['a log entry of another time', (mine) => (entryOf(mine).integratedTime = '1700000000'), 'certificate'],
  ['a log entry with another index', (mine) => (entryOf(mine).logIndex = '5'), 'log-entry'],
  ['no log entry', (mine) => (mine.verificationMaterial.tlogEntries = []), 'log-entry'],
  [
    'another timestamp',
    (mine, theirs) =>
      (mine.verificationMaterial.timestampVerificationData = theirs.verificationMaterial.timestampVerificationData),
    'timestamp',
  ],
  [
    'a corrupt timestamp',
    (mine) => {
      const [stamp] = mine.verificationMaterial.timestampVerificationData.rfc3161Timestamps;
      const bytes = Buffer.from(stamp?.signedTimestamp ?? '', 'base64');
      bytes.writeUInt8(bytes.readUInt8(bytes.length - 20) ^ 0xff, bytes.length - 20);
      if (stamp !== undefined) stamp.signedTimestamp = bytes.toString('base64');
    },
    'timestamp',
  ],
  ['another signature', (mine, theirs) => (mine.dsseEnvelope.signatures = theirs.dsseEnvelope.signatures), 'timestamp'],
  [
    'two signatures',
    (mine, theirs) => mine.dsseEnvelope.signatures.push(...theirs.dsseEnvelope.signatures),
    'malformed-bundle',
  ],
  ['another payload type', (mine) => (mine.dsseEnvelope.payloadType = 'text/plain'), 'not-a-statement'],
  ['no certificate', (mine) => delete mine.verificationMaterial.certificate, 'malformed-bundle'],
  [
    'a key instead of a certificate',
    (mine) => {
      delete mine.verificationMaterial.certificate;
      mine.verificationMaterial.publicKey = { hint: 'trust me' };
    },
    'untrusted-key',
  ],
];

describe('a bundle with', () => {
  test.each(tampering)('%s is refused', async (_name, tamper, code) => {
    const here = await stage(kit());
    const mine = await signedJson(here.signing.signer, here.image.root.digest);
    // Another signer's certificate of the same identity: the key differs.
    const theirs = await signedJson(signerFor(kit(), here.host), here.image.root.digest);
    tamper(mine, theirs, here);
    await attachRaw(here, here.image.root, bytesOf(mine));
    const report = await rootReport(here);
    expect(report.ok).toBe(false);
    expect(codes(report)).toEqual([code]);
  });

  /** A signer whose key has two certificates: the second is fetched when the first is about to end. */
  async function renewed(here: Stage) {
    const host = fakeHost({ now: new Date() });
    const signer = keylessSigner(host, servicesOf(kit()), async () => kit().token());
    const renew = (): void => void (host.clock.now = () => new Date(Date.now() + 9 * 60_000));
    return { context: { ...here.signing, signer }, renew };
  }

  test('the same key’s other certificate, which no log entry names, is refused', async () => {
    const here = await stage(kit());
    const { context, renew } = await renewed(here);
    const mine = await signedJson(context.signer, here.image.root.digest);
    renew();
    const other = await signedJson(context.signer, here.image.root.digest);
    expect(mine.verificationMaterial.certificate).not.toEqual(other.verificationMaterial.certificate);
    mine.verificationMaterial.certificate = other.verificationMaterial.certificate ?? { rawBytes: '' };
    await attachRaw(here, here.image.root, bytesOf(mine));
    const report = await rootReport(here);
    expect([report.ok, codes(report)]).toEqual([false, ['log-entry']]);
  });

  test('the same key’s other certificate, under cosign 2’s tag, is refused', async () => {
    const here = await stage(kit());
    const { context, renew } = await renewed(here);
    const { repo, registry, image } = here;
    const mine = await signLegacy(here.host, context.signer, image.root.digest, 'r');
    renew();
    const other = await signLegacy(here.host, context.signer, image.root.digest, 'r');
    const name = 'dev.sigstore.cosign/certificate';
    const annotations = { ...mine.descriptor.annotations, [name]: other.descriptor.annotations?.[name] ?? '' };
    expect(annotations).not.toEqual(mine.descriptor.annotations);
    for (const [layer, expected] of [
      [mine.descriptor, []],
      [{ ...mine.descriptor, annotations }, ['log-entry']],
    ] as const) {
      const { bytes, config } = legacyManifest([layer]);
      for (const { descriptor, bytes: content } of [mine, config])
        await registry.upload(repo, blobOf(content), descriptor);
      await registry.put(repo, bytes, mediaTypes.manifest, `${image.root.digest.replace(':', '-')}.sig`);
      const verifier = await verifierFor(kit(), { require: ['signature'], nodes: 'root', legacy: true });
      expect(codes(await rootReport(here, verifier))).toEqual(expected);
    }
  });

  test('nothing changed passes: the attacks above fail for their own reason', async () => {
    const here = await stage(kit());
    await attachRaw(here, here.image.root, bytesOf(await signedJson(here.signing.signer, here.image.root.digest)));
    expect((await rootReport(here)).ok).toBe(true);
  });

  test.each([
    ['text', Buffer.from('not json')],
    ['an empty object', Buffer.from('{}')],
    ['null', Buffer.from('null')],
    ['a list', Buffer.from('[]')],
  ])('nothing but %s is refused as malformed', async (_name, bytes) => {
    const here = await stage(kit());
    await attachRaw(here, here.image.root, bytes);
    expect(codes(await rootReport(here))).toEqual(['malformed-bundle']);
  });
});

describe('well signed, but', () => {
  test('about another digest', async () => {
    const here = await stage(kit());
    await attachRaw(here, here.image.root, bytesOf(await signedJson(here.signing.signer, other)));
    expect(codes(await rootReport(here))).toEqual(['other-subject']);
  });

  test('provenance alone is no image signature', async () => {
    const here = await stage(kit());
    const { digest } = here.image.root;
    await attachRaw(
      here,
      here.image.root,
      await signStatement(here.host, here.signing.signer, makeStatement('provenance', digest, provenance())),
    );
    const report = await rootReport(here);
    expect(report.missing).toEqual(['signature']);
    expect(report.proofs.map(({ attestation }) => attestation)).toEqual(['provenance']);
  });

  test.each([
    ['an unknown predicate', 'https://example.com/nothing/v1'],
    ['a predicate whose name begins as ours', 'https://sigstore.dev/cosign/sign/v1/extra'],
    ['a predicate with a slash more', 'https://sigstore.dev/cosign/sign/v1/'],
  ])('%s is refused by name, alone and beside a good one', async (_name, predicateType) => {
    const here = await stage(kit());
    const statement = { ...makeStatement('signature', here.image.root.digest, {}), predicateType };
    await attachRaw(
      here,
      here.image.root,
      await signStatement(here.host, here.signing.signer, statement),
      predicateType,
    );
    const alone = await rootReport(here);
    expect([alone.ok, codes(alone)]).toEqual([false, ['unknown-predicate']]);
    await here.sign();
    const beside = await rootReport(here);
    expect([beside.ok, codes(beside)]).toEqual([true, ['unknown-predicate']]);
  });

  test('the SBOM of the other platform is refused, whether its subject or its content gives it away', async () => {
    const here = await stage(kit());
    const { amd64, arm64 } = here.image;
    await here.sign();
    const bom = JSON.parse(sbomFor(amd64.digest)) as Record<string, unknown>;
    await attachRaw(
      here,
      arm64,
      await signStatement(here.host, here.signing.signer, makeStatement('sbom', amd64.digest, bom)),
    );
    await attachRaw(
      here,
      arm64,
      await signStatement(here.host, here.signing.signer, makeStatement('sbom', arm64.digest, bom)),
    );
    const verifier = await verifierFor(kit(), { require: ['signature', 'sbom'] });
    const report = await verifyTree(here.registry, here.ref, verifier);
    const node = report.nodes.find(({ name }) => name === 'linux/arm64');
    expect(node?.missing).toEqual(['sbom']);
    expect(node?.refused.map(({ code }) => code).sort()).toEqual(['other-image', 'other-subject']);
  });

  test('provenance that breaks SLSA’s schema, or of another builder or build type', async () => {
    const here = await stage(kit());
    const { digest } = here.image.root;
    await attachRaw(
      here,
      here.image.root,
      await signStatement(here.host, here.signing.signer, makeStatement('provenance', digest, { builder: 1 })),
    );
    const malformed = await verifierFor(kit(), { require: ['provenance'], nodes: 'root' });
    expect(codes(await rootReport(here, malformed))).toEqual(['malformed-predicate']);
    const there = await stage(kit());
    await there.sign();
    await there.attest();
    const builder = await verifierFor(kit(), {
      require: ['provenance'],
      nodes: 'root',
      builders: ['https://ci.example/b'],
    });
    expect(codes(await rootReport(there, builder))).toEqual(['other-builder']);
    const type = await verifierFor(kit(), {
      require: ['provenance'],
      nodes: 'root',
      buildTypes: ['https://ci.example/t'],
    });
    expect(codes(await rootReport(there, type))).toEqual(['other-build-type']);
  });

  test('an SBOM of another image never gets attached by us', async () => {
    const here = await stage(kit());
    await here.sign();
    const { amd64, arm64 } = here.image;
    const sboms = new Map([amd64, arm64].map(({ digest }) => [digest, sbomFor(amd64.digest)]));
    await expect(attestTree(here.signing, here.ref, { provenance, sboms })).rejects.toMatchObject({
      code: 'trust/self-check',
      facts: { found: expect.stringContaining('other-image') as string },
    });
  });
});
