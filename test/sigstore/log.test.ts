import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { RFC3161Timestamp } from '@sigstore/core';
import { HashAlgorithm } from '@sigstore/protobuf-specs';
import { RekorWitness, TSAWitness, type SignatureBundle } from '@sigstore/sign';
import { afterEach, describe, expect, test } from 'vitest';
import { keySigner, imageSignature, signStatement } from '../../src/sigstore/index.ts';
import { rekorWitness } from '../../src/sigstore/rekor.ts';
import { tsaWitness } from '../../src/sigstore/tsa.ts';
import { digestOf } from '../../src/core/index.ts';
import { fakeHost } from '../support/fake-host.ts';
import { status, type Fault } from '../support/sigstore/kit.ts';
import { servicesOf, useKit } from './stage.ts';

const kit = useKit();
afterEach(() => {
  kit().fail('rekor', status(200), 0);
});

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
const payload = (text: string): Buffer => Buffer.from(`${text} ${Math.random()}`);

function envelope(text: string): SignatureBundle {
  const bytes = payload(text);
  const signatures = [{ keyid: '', sig: sign('sha256', bytes, privateKey) }];
  return {
    $case: 'dsseEnvelope',
    dsseEnvelope: { payloadType: 'application/vnd.in-toto+json', payload: bytes, signatures },
  };
}
function message(text: string): SignatureBundle {
  const bytes = payload(text);
  const messageDigest = { algorithm: HashAlgorithm.SHA2_256, digest: createHash('sha256').update(bytes).digest() };
  return {
    $case: 'messageSignature',
    messageSignature: { messageDigest, signature: sign('sha256', bytes, privateKey) },
  };
}
const ours = () => rekorWitness(fakeHost(), servicesOf(kit()), kit().url);

describe('the client of @sigstore/sign and ours', () => {
  test.each([
    ['an envelope', envelope('statement')],
    ['a bare signature', message('payload')],
  ])('read the same entry of %s, whoever writes it first', async (_name, content) => {
    const theirs = new RekorWitness({ rekorBaseURL: kit().url, fetchOnConflict: true });
    const before = kit().rekor.entries.length;
    const written = await ours().testify(content, pem);
    // Their proposal is the same one: the log has it already, and makes no second.
    expect(await theirs.testify(content, pem)).toEqual(written);
    expect(kit().rekor.entries.length - before).toBe(1);
  });

  test.each(['', '/', '/api/v1/timestamp'])('ask the timestamp authority at %j the same', async (path) => {
    const content = envelope('statement');
    const theirs = await new TSAWitness({ tsaBaseURL: `${kit().url}${path === '/' ? '' : path}` }).testify(content);
    const made = await tsaWitness(fakeHost(), servicesOf(kit()), `${kit().url}${path}`).testify(content, pem);
    const stamped = (given: typeof made) =>
      (given.rfc3161Timestamps ?? []).map(({ signedTimestamp }) => {
        const { status: granted, tstInfo } = RFC3161Timestamp.parse(Buffer.from(signedTimestamp));
        return [granted, tstInfo.messageImprintHashedMessage.toString('hex')];
      });
    expect(stamped(made)).toHaveLength(1);
    expect(stamped(made)).toEqual(stamped(theirs));
  });
});

describe('an entry that is there already', () => {
  /** Says where the entry is in another way. */
  const elsewhere =
    (locate: (id: string) => Record<string, string>): Fault =>
    async (answer) => {
      const given = await answer();
      return given.status === 409
        ? { ...given, headers: locate(given.headers?.['location']?.split('/').pop() ?? '') }
        : given;
    };

  test('is fetched, and is the one that was written', async () => {
    const content = envelope('twice');
    const first = await ours().testify(content, pem);
    const before = kit().counts.rekor;
    expect(await ours().testify(content, pem)).toEqual(first);
    expect(kit().counts.rekor - before).toBe(2);
  });

  test('is asked for at the log itself, wherever its answer points', async () => {
    const content = envelope('pointing elsewhere');
    const first = await ours().testify(content, pem);
    kit().fail(
      'rekor',
      elsewhere((id) => ({ location: `https://elsewhere.example/api/v1/log/entries/${id}` })),
    );
    expect(await ours().testify(content, pem)).toEqual(first);
  });

  test.each<[string, Record<string, string>]>([
    ['no place', {}],
    ['a place without id', { location: '/api/v1/log/entries/' }],
    ['an id that is none', { location: '/api/v1/log/entries/..%2f..%2fpublicKey' }],
  ])('with %s is refused', async (_name, headers) => {
    const content = envelope('lost');
    await ours().testify(content, pem);
    kit().fail(
      'rekor',
      elsewhere(() => headers),
    );
    await expect(ours().testify(content, pem)).rejects.toMatchObject({
      code: 'sigstore/rekor',
      exit: 3,
      facts: { found: 'status 409 without it' },
    });
  });

  test.each<[string, Fault, string]>([
    ['without bounds', () => 'endless', 'more than 2097152 bytes (1 attempt)'],
    ['of another form', () => ({ status: 200, body: '[]' }), 'expected record'],
    ['that is gone', status(404, 'not found'), 'status 404, not found (1 attempt)'],
  ])('and answered %s is refused', async (_name, fault, found) => {
    const content = envelope('fetched');
    await ours().testify(content, pem);
    kit().fail('rekor', async (answer) => {
      const given = await answer();
      return given.status === 409 ? given : await fault(async () => given);
    });
    await expect(ours().testify(content, pem)).rejects.toMatchObject({
      code: 'sigstore/rekor',
      exit: 3,
      message: 'Rekor gave no entry',
      facts: { found: expect.stringContaining(found) as string },
    });
  });
});

test('with a key, too, the log and the timestamp are asked within limits', async () => {
  const { fulcio: _none, ...services } = servicesOf(kit());
  const signer = keySigner(privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, services);
  kit().fail('rekor', () => 'endless');
  await expect(signStatement(fakeHost(), signer, imageSignature(digestOf('an image')))).rejects.toMatchObject({
    code: 'sigstore/rekor',
    exit: 3,
  });
});
