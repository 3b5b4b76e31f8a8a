import { afterEach, describe, expect, test } from 'vitest';
import { renderError } from '../../src/errors/index.ts';
import { createHost } from '../../src/host/index.ts';
import {
  identityToken,
  imageSignature,
  keylessSigner,
  signStatement,
  type Services,
} from '../../src/sigstore/index.ts';
import { callService } from '../../src/sigstore/call.ts';
import { checkToken } from '../../src/sigstore/identity-token.ts';
import { collectBytes } from '../../src/core/bytes.ts';
import { digestOf } from '../../src/core/index.ts';
import { fakeHost } from '../support/fake-host.ts';
import { githubClaims, makeToken } from '../../src/lab/sigstore/identity.ts';
import { newKeyPair } from '../../src/lab/sigstore/keys.ts';
import { status, type Fault, type Service } from '../../src/lab/sigstore/kit.ts';
import type { Answer } from '../../src/lab/sigstore/fulcio.ts';
import { servicesOf, useKit } from './stage.ts';

const kit = useKit();
const all = ['fulcio', 'rekor', 'tsa', 'oidc'] as const;
afterEach(() => {
  for (const service of all) kit().fail(service, status(200), 0);
});

/**
 * sign makes one signature, from the CI's token to `last`, or to both of the log and the timestamp: these are asked at
 * once, so that after the failure of one the other is still under way.
 */
async function sign(
  last: Service | 'both',
  changes: Partial<Services> = {},
  host = fakeHost({ now: new Date(), env: kit().ciEnvironment() }),
) {
  const { rekor = '', tsa = '', ...shared } = { ...servicesOf(kit()), ...changes };
  const services = { ...shared, ...(last === 'tsa' ? {} : { rekor }), ...(last === 'rekor' ? {} : { tsa }) };
  const made = async (): Promise<unknown> => {
    const signer = keylessSigner(host, services, () => identityToken(host));
    await signStatement(host, signer, imageSignature(digestOf('an image')));
    return undefined;
  };
  const error = await made().catch((reason: unknown) => reason);
  return { error, text: error === undefined ? '' : renderError(error), host };
}

const codeOf: Readonly<Record<Service, string>> = {
  fulcio: 'sigstore/fulcio',
  rekor: 'sigstore/rekor',
  tsa: 'sigstore/tsa',
  oidc: 'sigstore/no-token',
};
const limits: Readonly<Record<Service, number>> = {
  fulcio: 256 * 1024,
  rekor: 2 * 1024 * 1024,
  tsa: 64 * 1024,
  oidc: 64 * 1024,
};
const html: Answer = { status: 200, body: '<html><title>Log in</title></html>', type: 'text/html' };
const json = (value: unknown): Answer => ({ status: 200, body: JSON.stringify(value), type: 'application/json' });
/** A genuine answer, changed. */
const changed =
  (change: (value: Record<string, unknown>) => unknown): Fault =>
  async (answer) => {
    const given = await answer();
    return { ...given, body: JSON.stringify(change(JSON.parse(given.body.toString()) as Record<string, unknown>)) };
  };

describe.each(all)('%s: an answer without bounds', (service) => {
  const refused = { code: codeOf[service], exit: 3 };
  const tooLarge = `expected: an answer of at most ${limits[service]} bytes`;

  test('that never ends is cut at the limit, and not asked for again', async () => {
    const before = kit().counts[service];
    kit().fail(service, () => 'endless');
    const { error, text } = await sign(service, { timeout: 10_000 });
    expect(error).toMatchObject(refused);
    expect(text).toContain(tooLarge);
    expect(text).toContain(`more than ${limits[service]} bytes (1 attempt)`);
    expect(kit().counts[service] - before).toBe(1);
  });

  test('that announces its size is not read at all', async () => {
    const size = limits[service] + 1;
    const body = Buffer.alloc(size, ' ');
    kit().fail(service, () => ({ status: 200, body, headers: { 'content-length': String(size) } }));
    const { error, text } = await sign(service);
    expect(error).toMatchObject(refused);
    expect(text).toContain(tooLarge);
    expect(text).toContain(`${size} bytes announced`);
  });

  test('that refuses without end says its status', async () => {
    const body = Buffer.alloc(1024 * 1024, 'x');
    kit().fail(service, () => ({ status: 400, body }));
    const { error, text } = await sign(service);
    expect(error).toMatchObject(refused);
    expect(text).toContain('found:    status 400 (1 attempt)');
  });
});

test.each(['fulcio', 'rekor', 'oidc'] as const)('%s: an answer of exactly the limit is taken', async (service) => {
  kit().fail(service, async (answer) => {
    const given = await answer();
    const body = Buffer.alloc(limits[service], ' ');
    Buffer.from(given.body).copy(body);
    return { ...given, body };
  });
  expect((await sign(service)).text).toBe('');
});

describe('an answer of another form', () => {
  const entry = (change: (entry: Record<string, unknown>) => unknown): Fault =>
    changed((value) => Object.fromEntries(Object.entries(value).map(([id, one]) => [id, change(one as never)])));
  const chain = (certificates: readonly string[]) => ({ signedCertificateEmbeddedSct: { chain: { certificates } } });

  test.each<[Service, string, Fault, string]>([
    ['fulcio', 'an HTML page', () => html, 'an HTML page'],
    ['fulcio', 'no certificates at all', () => json({}), 'another form: '],
    ['fulcio', 'an empty chain', () => json(chain([])), 'does not begin with a certificate'],
    [
      'fulcio',
      'a certificate that is none',
      () => json(chain(['-----BEGIN CERTIFICATE-----'])),
      'does not begin with a certificate',
    ],
    ['rekor', 'an HTML page', () => html, 'an HTML page'],
    ['rekor', 'a list', () => json([]), 'another form: '],
    ['rekor', 'no entry', () => json({}), 'another form: '],
    [
      'rekor',
      'two entries',
      changed((value) => ({ ...value, ['0'.repeat(64)]: Object.values(value)[0] })),
      'multiple entries',
    ],
    [
      'rekor',
      'a log id that is none',
      entry((one) => ({ ...one, logID: 'abc' })),
      'logId.keyId: expected a SHA-256 hash',
    ],
    ['rekor', 'an index in words', entry((one) => ({ ...one, logIndex: 'one' })), 'logIndex: expected a number'],
    ['rekor', 'a negative time', entry((one) => ({ ...one, integratedTime: -1 })), 'integratedTime: expected a number'],
    ['rekor', 'a body that is no base64', entry((one) => ({ ...one, body: '<>' })), 'another form: '],
    ['rekor', 'a body that is no JSON', entry((one) => ({ ...one, body: 'AAAA' })), 'another form: '],
    ['rekor', 'a body without kind', entry((one) => ({ ...one, body: 'e30=' })), 'kind: Invalid input'],
    ['tsa', 'an HTML page', () => html, 'an HTML page'],
    ['tsa', 'nothing', () => ({ status: 201, body: '' }), '0 bytes that are none'],
    [
      'tsa',
      'a refusal',
      () => ({ status: 201, body: Buffer.from('30053003020102', 'hex') }),
      'a refusal with status 2',
    ],
    [
      'tsa',
      'nested beyond reason',
      () => ({ status: 201, body: Buffer.alloc(60_000, '3080', 'hex') }),
      'that are none',
    ],
    ['oidc', 'an HTML page', () => html, 'an HTML page'],
    ['oidc', 'no token', () => json({ count: 0 }), 'value: Invalid input'],
    ['oidc', 'an empty token', () => json({ value: '' }), 'value: Too small'],
  ])('%s: %s is refused with what was there', async (service, _name, fault, found) => {
    const before = kit().counts[service];
    kit().fail(service, fault);
    const { error, text } = await sign(service);
    expect(error).toMatchObject({ code: codeOf[service], exit: 3 });
    expect(text).toContain('  expected: ');
    expect(text).toContain(found);
    expect(text).toContain(`error: ${kit().url}/`);
    expect(kit().counts[service] - before).toBe(1);
  });

  test('fulcio: a certificate for another key is refused before anything is logged', async () => {
    let first: Promise<Answer> | undefined;
    kit().fail('fulcio', (answer) => (first ??= answer()));
    expect((await sign('both')).text).toBe('');
    const asked = kit().counts.rekor;
    const { error, text } = await sign('both');
    expect(error).toMatchObject({ code: 'sigstore/fulcio', exit: 3 });
    expect(text).toContain('a certificate for another key');
    expect(kit().counts.rekor).toBe(asked);
  });

  test('tsa: a timestamp of another signature is refused', async () => {
    let first: Promise<Answer> | undefined;
    kit().fail('tsa', (answer) => (first ??= answer()));
    expect((await sign('tsa')).text).toBe('');
    const { error, text } = await sign('tsa');
    expect(error).toMatchObject({ code: 'sigstore/tsa', exit: 3 });
    expect(text).toContain('a timestamp of something else');
  });

  test('fulcio: a certificate whose log entry is apart is taken, too', async () => {
    const apart = changed(({ signedCertificateEmbeddedSct: one }) => ({ signedCertificateDetachedSct: one }));
    kit().fail('fulcio', apart);
    expect((await sign('both')).text).toBe('');
  });

  test('a redirect is told, not followed: the token stays where it was sent', async () => {
    const location = 'https://elsewhere.example/api/v2/signingCert';
    kit().fail('fulcio', () => ({ status: 307, body: '', headers: { location } }));
    expect((await sign('both')).text).toContain(`status 307, which leads to ${location}`);
  });
});

describe('patience', () => {
  test('an answer that drips is waited for no longer than said', async () => {
    kit().fail('tsa', () => 'drip');
    const service = { code: 'sigstore/tsa', failed: 'no timestamp', expected: 'a timestamp', limit: 1024 * 1024 };
    const host = fakeHost();
    const asked = callService(host, { timeout: 100, retries: 1 }, service, async () => {
      const { body } = await host.fetch(`${kit().url}/api/v1/timestamp`, { method: 'POST', body: '{}' });
      return await collectBytes(body, 1024 * 1024);
    });
    await expect(asked).rejects.toMatchObject({
      exit: 3,
      facts: { expected: 'a whole answer within 0.1 s', found: 'none (2 attempts)' },
    });
  });

  test('a wait that the log asks for is kept', async () => {
    kit().fail('rekor', () => ({ status: 429, body: '', headers: { 'retry-after': '7' } }), 1);
    const { text, host } = await sign('rekor');
    expect([text, host.slept]).toEqual(['', [7000]]);
    expect(host.told).toEqual([expect.stringMatching(/: status 429, asks to wait 7 s; trying again in 7\.0 s$/)]);
  });

  test('a wait of an hour is not', async () => {
    kit().fail('rekor', () => ({ status: 429, body: '', headers: { 'retry-after': '3600' } }));
    const { text, host } = await sign('rekor');
    expect(text).toContain('status 429, asks to wait 3600 s (1 attempt)');
    expect(host.slept).toEqual([]);
  });

  test('nobody there is said with the address', async () => {
    const { error, text } = await sign('fulcio', { fulcio: 'http://127.0.0.1:9/' });
    expect(error).toMatchObject({ code: 'sigstore/fulcio', exit: 3 });
    expect(text).toContain('http://127.0.0.1:9/api/v2/signingCert');
    expect(text).toContain('ECONNREFUSED');
  });

  test.each(['rekor.example', 'rekor.example:443', 'http://'])('the address %s is a wrong use', async (rekor) => {
    expect((await sign('rekor', { rekor })).error).toMatchObject({ code: 'sigstore/rekor', exit: 2 });
  });

  test('Ctrl-C ends the waiting for an answer at once, and is no failure of the service', async () => {
    const host = createHost({ quiet: true });
    const before = kit().counts.rekor;
    kit().fail('rekor', () => {
      setTimeout(() => {
        host.abort('Ctrl-C');
      }, 20);
      return 'drip';
    });
    const signer = keylessSigner(host, servicesOf(kit()), async () => kit().token());
    await expect(signStatement(host, signer, imageSignature(digestOf('an image')))).rejects.toThrow('Ctrl-C');
    expect(kit().counts.rekor - before).toBe(1);
  });
});

describe('secrets', () => {
  test('a Fulcio that is down and repeats the token gets it neither into the progress nor into the error', async () => {
    kit().fail('fulcio', status(503, `busy with ${kit().token()}`));
    const { text, host } = await sign('fulcio');
    expect(host.told[0]).toContain('status 503, busy with …');
    expect(`${host.told.join()}${text}`).not.toContain('eyJ');
  });

  test('a token service that repeats what it was asked with does not, either', async () => {
    const env = kit().ciEnvironment();
    const secret = env['ACTIONS_ID_TOKEN_REQUEST_TOKEN'] ?? '-';
    kit().fail('oidc', status(400, `no such caller: ${secret}`));
    const { text } = await sign('oidc', {}, fakeHost({ now: new Date(), env }));
    expect(text).toContain('no such caller: …');
    expect(text).not.toContain(secret);
  });
});

test.each([
  ['an address that nobody verified', { email: 'a@b.example', email_verified: false }],
  ['no subject', { sub: '' }],
])('a token with %s cannot be used, and is not shown', (_name, changes) => {
  const token = makeToken({ ...githubClaims(new Date()), ...changes } as never, newKeyPair());
  const refused = (): string => checkToken(token, new Date());
  expect(refused).toThrow(expect.objectContaining({ code: 'sigstore/bad-token', exit: 2 }));
  expect(refused).not.toThrow(token);
});

test.each([
  ['a subject', {}],
  ['an address that is verified', { email: 'a@b.example', email_verified: true }],
])('a token with %s is used', (_name, changes) => {
  const token = makeToken({ ...githubClaims(new Date()), ...changes } as never, newKeyPair());
  expect(checkToken(token, new Date())).toBe(token);
});
