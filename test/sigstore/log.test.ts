import { generateKeyPairSync, sign } from 'node:crypto';
import type { SignatureBundle, Witness } from '@sigstore/sign';
import { afterEach, describe, expect, test } from 'vitest';
import { keySigner, imageSignature, signStatement } from '../../src/sigstore/index.ts';
import { witnesses } from '../../src/sigstore/witnesses.ts';
import { digestOf } from '../../src/core/index.ts';
import { fakeHost } from '../support/fake-host.ts';
import { status, type Fault } from '../../src/lab/sigstore/kit.ts';
import { servicesOf, useKit } from './stage.ts';

const kit = useKit();
afterEach(() => {
  kit().fail('rekor', status(200), 0);
});

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
let made = 0;
/** Another one each time: the log keeps what it was given. */
const payload = (text: string): Buffer => Buffer.from(`${text} ${(made += 1)}`);

function envelope(text: string): SignatureBundle {
  const bytes = payload(text);
  const signatures = [{ keyid: '', sig: sign('sha256', bytes, privateKey) }];
  return {
    $case: 'dsseEnvelope',
    dsseEnvelope: { payloadType: 'application/vnd.in-toto+json', payload: bytes, signatures },
  };
}
const signer = () => keySigner(privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, servicesOf(kit()));
function ours(): Witness {
  const [log] = witnesses(fakeHost(), signer(), { tsa: false });
  if (log === undefined) throw new Error('no log');
  return log;
}

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

  test.each<[string, Record<string, string>, string]>([
    ['no place', {}, 'status 409, an equivalent entry already exists in the transparency log (1 attempt)'],
    ['a place without id', { location: '/api/v1/log/entries/' }, 'status 404, not found (1 attempt)'],
    [
      'an id that is none',
      { location: '/api/v1/log/entries/..%2f..%2fpublicKey' },
      'status 404, not found (1 attempt)',
    ],
  ])('with %s is refused', async (_name, headers, found) => {
    const content = envelope('lost');
    await ours().testify(content, pem);
    kit().fail(
      'rekor',
      elsewhere(() => headers),
    );
    await expect(ours().testify(content, pem)).rejects.toMatchObject({
      code: 'sigstore/rekor',
      exit: 3,
      facts: { found },
    });
  });

  test.each<[string, Fault, string]>([
    ['without bounds', () => 'endless', 'more than 2097152 bytes (1 attempt)'],
    ['of another form', () => ({ status: 200, body: '[]' }), 'another form: '],
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
      message: 'Rekor returned no log entry',
      facts: { found: expect.stringContaining(found) as string },
    });
  });
});

test('with a key, too, the log and the timestamp are asked within limits', async () => {
  kit().fail('rekor', () => 'endless');
  await expect(signStatement(fakeHost(), signer(), imageSignature(digestOf('an image')))).rejects.toMatchObject({
    code: 'sigstore/rekor',
    exit: 3,
  });
});
