import { afterEach, describe, expect, test } from 'vitest';
import { renderError } from '../../src/errors/index.ts';
import { signTree } from '../../src/flows/trust/index.ts';
import { identityToken, keylessSigner, readTrustedRoot } from '../../src/sigstore/index.ts';
import { fakeHost } from '../support/fake-host.ts';
import type { Answer } from '../../src/lab/sigstore/fulcio.ts';
import { status, type Kit } from '../../src/lab/sigstore/kit.ts';
import { codes, rootReport } from './attach-raw.ts';
import { servicesOf, stage, useKit, type Stage } from './stage.ts';

const kit = useKit();
const works = status(200);
afterEach(() => {
  for (const service of ['fulcio', 'rekor', 'tsa', 'oidc'] as const) kit().fail(service, works, 0);
  kit().skew(0);
});

async function attached(here: Stage): Promise<number> {
  const { root, amd64, arm64 } = here.image;
  const lists = await Promise.all([root, amd64, arm64].map(({ digest }) => here.registry.referrers(here.repo, digest)));
  return lists.reduce((sum, { referrers }) => sum + referrers.length, 0);
}

describe('a service that is down', () => {
  test.each([
    ['rekor', 'sigstore/rekor'],
    ['fulcio', 'sigstore/fulcio'],
    ['tsa', 'sigstore/tsa'],
  ] as const)('%s: tried again, then nothing is attached', async (service, code) => {
    const here = await stage(kit());
    const before = kit().counts[service];
    kit().fail(service, status(503));
    await expect(here.sign()).rejects.toMatchObject({ code, exit: 3 });
    expect(kit().counts[service] - before).toBeGreaterThanOrEqual(2);
    expect(await attached(here)).toBe(0);
  });

  test.each(['rekor', 'fulcio', 'tsa'] as const)('%s: one failure is got over', async (service) => {
    const here = await stage(kit());
    kit().fail(service, status(503), 1);
    await here.sign();
    expect(await attached(here)).toBe(3);
  });

  test('rekor: an answer that was lost is fetched by the next attempt, not taken for a failure', async () => {
    const here = await stage(kit());
    kit().fail(
      'rekor',
      async (answer) => {
        await answer();
        return 'cut' as const;
      },
      1,
    );
    await here.sign();
    expect((await rootReport(here)).ok).toBe(true);
  });

  test('rekor: another entry in its answer is found before anything is attached', async () => {
    const other = await stage(kit());
    let first: Promise<Answer> | undefined;
    kit().fail('rekor', (answer) => (first ??= answer()));
    await expect(other.sign()).rejects.toMatchObject({
      code: 'trust/self-check',
      facts: { found: expect.stringContaining('tlog entry') as string },
    });
    expect(await attached(other)).toBe(0);
  });
});

describe('clocks', () => {
  test.each([
    ['an hour ahead', 3_600_000],
    ['half an hour behind', -1_800_000],
  ])('a timestamp authority that is %s: the time lies outside the certificate', async (_name, offset) => {
    const here = await stage(kit());
    kit().skew(offset, 'tsa');
    await expect(here.sign()).rejects.toMatchObject({ code: 'trust/self-check' });
    expect(await attached(here)).toBe(0);
  });

  test('this machine’s clock an hour behind changes nothing: only the services’ clocks count', async () => {
    const here = await stage(kit());
    const host = fakeHost({ now: new Date(Date.now() - 3_600_000), env: kit().ciEnvironment() });
    const signer = keylessSigner(host, servicesOf(kit()), async () => identityToken(host));
    await signTree({ ...here.signing, host, signer }, here.ref);
    expect((await rootReport(here)).ok).toBe(true);
  });
});

describe('identity tokens', () => {
  const past = () => Math.floor(Date.now() / 1000) - 60;

  async function failure(changes: Readonly<Record<string, string | number>>, env?: Record<string, string>) {
    const here = await stage(kit());
    const host = fakeHost({ now: new Date(), env: env ?? kit().ciEnvironment(changes) });
    const signer = keylessSigner(host, servicesOf(kit()), async () => identityToken(host));
    const error: unknown = await signTree({ ...here.signing, host, signer }, here.ref).catch(
      (reason: unknown) => reason,
    );
    expect(await attached(here)).toBe(0);
    return { text: renderError(error), code: (error as { code: string }).code };
  }

  test('none: the message says which permission the job needs', async () => {
    const { code, text } = await failure({}, { GITHUB_ACTIONS: 'true' });
    expect(code).toBe('sigstore/no-token');
    expect(text).toContain('permissions: id-token: write');
  });

  test('expired: both times are named, the token is not', async () => {
    const { code, text } = await failure({ exp: past() });
    expect(code).toBe('sigstore/token-expired');
    expect(text).not.toMatch(/eyJ/);
  });

  test('expired by the time Fulcio sees it', async () => {
    kit().skew(3_600_000, 'fulcio');
    const { code, text } = await failure({});
    expect(code).toBe('sigstore/fulcio');
    expect(text).toContain('token is expired');
    expect(text).not.toMatch(/eyJ/);
  });

  test.each([
    ['for another audience', { SIGSTORE_ID_TOKEN: (kit: Kit) => kit.token({ aud: 'npm' }) }],
    ['that is no token', { SIGSTORE_ID_TOKEN: () => 'eyJhbGciOi.secret-but-not-json.x' }],
    ['that is a word', { SIGSTORE_ID_TOKEN: () => 'hunter2' }],
  ])('%s: refused without being told', async (_name, env) => {
    const token = env.SIGSTORE_ID_TOKEN(kit());
    const { code, text } = await failure({}, { SIGSTORE_ID_TOKEN: token });
    expect(code).toBe('sigstore/bad-token');
    expect(text).not.toContain(token);
    expect(text).not.toMatch(/eyJ|hunter2/);
  });

  test('a Fulcio that repeats the token in its refusal does not get it into our message', async () => {
    kit().fail('fulcio', status(400, `cannot parse ${kit().token()}`));
    const { code, text } = await failure({});
    expect(code).toBe('sigstore/fulcio');
    expect(text).toContain('cannot parse …');
    expect(text).not.toMatch(/eyJ/);
  });

  test('a CI service that refuses is named', async () => {
    kit().fail('oidc', status(403));
    const { code, text } = await failure({});
    expect([code, text.includes('status 403')]).toEqual(['sigstore/no-token', true]);
  });
});

describe('trusted roots', () => {
  test.each([
    ['the log', 'tlogs', 'transparency logs'],
    ['the certificate log', 'ctlogs', 'certificate transparency logs'],
    ['the CA', 'certificateAuthorities', 'certificate authorities'],
  ])('without %s are refused by name', async (_name, member, said) => {
    const text = JSON.stringify({ ...kit().trustedRoot, [member]: [] });
    await expect(readTrustedRoot(text)).rejects.toMatchObject({
      code: 'sigstore/trusted-root',
      facts: { found: expect.stringContaining(said) as string },
    });
  });

  test.each([
    ['text', 'root'],
    ['a list', '[]'],
    ['another document', '{"mediaType":"application/json"}'],
    ['a root with a certificate that is none', undefined],
  ])('made of %s are refused', async (_name, text) => {
    const broken = {
      ...kit().trustedRoot,
      certificateAuthorities: [{ certChain: { certificates: [{ rawBytes: 'AAAA' }] } }],
    };
    await expect(readTrustedRoot(text ?? JSON.stringify(broken))).rejects.toMatchObject({
      code: 'sigstore/trusted-root',
    });
  });

  test('a root without the timestamp authority refuses what carries its timestamps', async () => {
    const here = await stage(kit());
    await here.sign();
    const { createVerifier } = await import('../../src/sigstore/index.ts');
    const root = await readTrustedRoot(JSON.stringify({ ...kit().trustedRoot, timestampAuthorities: [] }));
    const report = await rootReport(
      here,
      await createVerifier(root, { ...here.signing.verifier.policy, require: ['signature'] }),
    );
    expect([report.ok, codes(report)]).toEqual([false, ['timestamp']]);
  });
});
