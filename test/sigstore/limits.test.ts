import type { Bundle } from '@sigstore/bundle';
import type { X509Certificate } from '@sigstore/core';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/core/index.ts';
import { overLimit } from '../../src/sigstore/bundle-limits.ts';
import { extensionOids, identityOf } from '../../src/sigstore/certificate.ts';
import { checkToken } from '../../src/sigstore/identity-token.ts';
import {
  encodeStatement,
  imageSignature,
  maxStatementBytes,
  policySchema,
  type Signer,
} from '../../src/sigstore/index.ts';
import { scrub } from '../../src/sigstore/scrub.ts';
import { readStatement } from '../../src/sigstore/statement.ts';
import { witnesses } from '../../src/sigstore/witnesses.ts';
import { codes } from '../support/codes.ts';
import { fakeHost } from '../support/fake-host.ts';

const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

describe('what a bundle may hold', () => {
  const over = (entries: number, timestamps: number, checkpoint: number) => {
    const inclusionProof = { hashes: [], checkpoint: { envelope: 'x'.repeat(checkpoint) } };
    const entry = { logIndex: '1', integratedTime: '1', inclusionProof, canonicalizedBody: Buffer.alloc(0) };
    const stamp = { signedTimestamp: Buffer.alloc(16 * 1024) };
    const verificationMaterial = {
      content: { $case: 'certificate', certificate: { rawBytes: Buffer.alloc(16 * 1024) } },
      tlogEntries: times(entries, entry),
      timestampVerificationData: { rfc3161Timestamps: times(timestamps, stamp) },
    };
    return overLimit({ verificationMaterial } as unknown as Bundle);
  };

  test.each([
    ['one log entry', 1, 0, 0],
    ['four timestamps', 0, 4, 0],
    ['a checkpoint of 16 KiB', 1, 0, 16 * 1024],
  ])('%s', (_name, ...given) => {
    expect(over(...given)).toBeUndefined();
  });

  test.each([
    ['two log entries', 2, 0, 0],
    ['five timestamps', 0, 5, 0],
    ['a checkpoint of a character more than 16 KiB', 1, 0, 16 * 1024 + 1],
  ])('not %s', (_name, ...given) => {
    expect(over(...given)).toMatchObject({ code: 'too-large' });
  });
});

describe('a statement', () => {
  const about = (subjects: number) => {
    const [one] = imageSignature(digestOf('x')).subject;
    return Buffer.from(JSON.stringify({ ...imageSignature(digestOf('x')), subject: times(subjects, one) }));
  };
  const ofSize = (bytes: number) => {
    const statement = { ...imageSignature(digestOf('x')), predicate: { text: '' } };
    const text = 'x'.repeat(bytes - JSON.stringify(statement).length);
    return () => encodeStatement({ ...statement, predicate: { text } });
  };

  test('speaks about a thousand subjects', () => {
    expect(readStatement(about(1_000))?.subject).toHaveLength(1_000);
  });

  test.each([0, 1_001])('about %s subjects is none', (subjects) => {
    expect(readStatement(about(subjects))).toBeUndefined();
  });

  test('of 2.5 MB is signed', () => {
    expect(maxStatementBytes).toBe(2_500_000);
    expect(ofSize(maxStatementBytes)()).toHaveLength(maxStatementBytes);
  });

  test('of a byte more is not', () => {
    expect(codes(ofSize(maxStatementBytes + 1))).toEqual(['sigstore/too-large']);
  });
});

describe('an entry of the log', () => {
  const hash = Buffer.alloc(32);
  const entry = {
    logIndex: '1',
    logId: { keyId: hash },
    integratedTime: '1',
    kindVersion: { kind: 'dsse', version: '0.0.1' },
  };
  /** What becomes of an answer with this entry. */
  async function asked(changes: object) {
    const answer = { tlogEntries: [{ ...entry, ...changes }] };
    const parts = { log: { testify: async () => answer }, timestamp: undefined, logVersion: 1 };
    const [log] = witnesses(fakeHost(), { services: { retries: 0 }, parts } as unknown as Signer, { tsa: false });
    return await log?.testify({} as never, '');
  }
  const proof = (hashes: number) => ({
    inclusionProof: {
      logIndex: '1',
      treeSize: '1',
      rootHash: hash,
      hashes: times(hashes, hash),
      checkpoint: { envelope: '' },
    },
  });

  test.each([
    ['64 hashes to the root', proof(64)],
    ['an index of 19 digits', { logIndex: '1'.repeat(19) }],
  ])('with %s is taken', async (_name, changes) => {
    expect(await asked(changes)).toMatchObject({ tlogEntries: [changes] });
  });

  test.each([
    ['65 hashes to the root', proof(65)],
    ['an index of 20 digits', { logIndex: '1'.repeat(20) }],
    ['a log id of 31 bytes', { logId: { keyId: Buffer.alloc(31) } }],
  ])('with %s is refused', async (_name, changes) => {
    await expect(asked(changes)).rejects.toMatchObject({ code: 'sigstore/rekor' });
  });
});

describe('an identity token', () => {
  const now = new Date('2026-01-02T03:04:05Z');
  const seconds = now.getTime() / 1000;
  const good = { aud: 'sigstore', sub: 'repo:o/r', exp: seconds + 1 };
  const token = (changes: object, parts = 3): string =>
    ['e30', Buffer.from(JSON.stringify({ ...good, ...changes })).toString('base64url'), 'x', 'y']
      .slice(0, parts)
      .join('.');
  const refusal = (text: string) => codes(() => checkToken(text, now));

  test.each([
    ['that ends in a second', token({})],
    ['for several audiences', token({ aud: ['other', 'sigstore'] })],
    ['with an address that its issuer verified', token({ sub: '', email: 'a@b.example', email_verified: true })],
  ])('%s is used', (_name, text) => {
    expect(checkToken(text, now)).toBe(text);
  });

  test.each([
    ['that ends now', token({ exp: seconds }), 'sigstore/token-expired'],
    ['without an end', token({ exp: undefined }), 'sigstore/bad-token'],
    ['for another audience', token({ aud: 'sigstore.example' }), 'sigstore/bad-token'],
    ['for an audience of a longer name', token({ aud: ['sigstore2'] }), 'sigstore/bad-token'],
    ['with an address that nothing says is verified', token({ email: 'a@b.example' }), 'sigstore/bad-token'],
    [
      'with an address verified in words',
      token({ email: 'a@b.example', email_verified: 'true' }),
      'sigstore/bad-token',
    ],
    ['without a subject', token({ sub: undefined }), 'sigstore/bad-token'],
    ['of two parts', token({}, 2), 'sigstore/bad-token'],
    ['of four parts', token({}, 4), 'sigstore/bad-token'],
  ])('%s is refused', (_name, text, code) => {
    expect(refusal(text)).toEqual([code]);
  });
});

describe('a claim of a certificate', () => {
  /** What is read of a certificate whose repository is these bytes. */
  const read = (...bytes: readonly (number | string)[]): string | undefined => {
    const value = Buffer.concat(bytes.map((one) => (typeof one === 'string' ? Buffer.from(one) : Buffer.from([one]))));
    const values: Readonly<Record<string, Buffer>> = {
      [extensionOids.issuerV1]: Buffer.from('https://issuer.example'),
      [extensionOids.repository]: value,
    };
    // One name, a URI.
    const name = { tag: { isContextSpecific: (tag: number) => tag === 6 }, value: Buffer.from('https://me.example') };
    const names = { valueObj: { subs: [{ subs: [name] }] } };
    const extension = (oid: string) =>
      oid === '2.5.29.17' ? names : values[oid] === undefined ? undefined : { value: values[oid] };
    const certificate = { extensions: [], extension } as unknown as X509Certificate;
    return identityOf(certificate)?.extensions.repository;
  };

  test.each([
    ['0', [0x0c, 0]],
    ['127', [0x0c, 127]],
    ['128', [0x0c, 0x81, 128]],
    ['256', [0x0c, 0x82, 1, 0]],
  ])('of %s bytes is read', (length, header) => {
    const text = 'r'.repeat(Number(length));
    expect(read(...header, text)).toBe(text);
  });

  test.each([
    ['in another form of text', [0x16, 1, 'r']],
    ['with bytes behind it', [0x0c, 1, 'r', 'r']],
    ['that is cut short', [0x0c, 2, 'r']],
    ['with a length of three bytes', [0x0c, 0x83, 0, 0, 1, 'r']],
    ['of nothing', []],
  ])('%s is absent', (_name, bytes) => {
    expect(read(...bytes)).toBeUndefined();
  });
});

describe('a policy', () => {
  const signer = {
    issuer: 'https://issuer.example',
    identities: ['https://ci.example/o/r/w@refs/heads/main'],
    repository: 'https://ci.example/o/r',
    ref: 'refs/heads/main',
    trigger: 'push',
  };
  const accepts = (changes: object, ofSigner: object = {}): boolean =>
    policySchema.safeParse({ version: 1, signer: { ...signer, ...ofSigner }, ...changes }).success;

  test('of whole values is accepted', () => {
    expect(accepts({ builders: ['https://ci.example/b'] }, { ref: 'refs/heads/main' })).toBe(true);
  });

  test.each([
    ['no identity', {}, { identities: [] }],
    ['an identity with a star', {}, { identities: ['https://ci.example/*'] }],
    ['an identity with a blank', {}, { identities: ['https://ci.example/w @x'] }],
    ['an empty identity', {}, { identities: [''] }],
    ['a ref with a star', {}, { ref: 'refs/*' }],
    ['no builder', { builders: [] }, {}],
    ['no build type', { buildTypes: [] }, {}],
    ['an empty builder', { builders: [''] }, {}],
    ['an identity and a key', {}, { key: 'k.pub' }],
  ])('that names %s is refused', (_name, changes, ofSigner) => {
    expect(accepts(changes, ofSigner)).toBe(false);
  });
});

describe('words of a service', () => {
  test.each([
    ['every place of a secret', 'a hush b hush c', 'a … b … c'],
    ['what looks like a token', 'got eyJhbGciOi.eyJzdWIi.sig-1 back', 'got … back'],
    ['control characters of both sets', 'a\u001b[31mb\u009b32mc', 'a [31mb 32mc'],
  ])('lose %s', (_name, text, shown) => {
    expect(scrub(text, 'hush')).toBe(shown);
  });

  test('of 400 characters are shown whole', () => {
    expect(scrub('x'.repeat(400))).toBe('x'.repeat(400));
  });

  test('of more are cut', () => {
    expect(scrub('x'.repeat(401))).toBe(`${'x'.repeat(400)}…`);
  });
});
