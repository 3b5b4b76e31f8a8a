import * as z from 'zod';
import { AppError } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import { collectBytes } from '../core/bytes.ts';
import { callService, Unfit, type Service } from './call.ts';

const audience = 'sigstore';
/** A token with GitHub's claims is 1.1 kB (the tests' own issuer). */
const maxAnswer = 64 * 1024;

const permission = 'in GitHub Actions give the job `permissions: id-token: write`; pull requests of forks never get it';

const noToken = (found: string): AppError =>
  new AppError('sigstore/no-token', 'usage', 'there is no identity token to sign with', {
    expected: 'a CI job that may ask for one, or SIGSTORE_ID_TOKEN, or a key of your own',
    found,
    hint: permission,
  });

const answer = z.object({ value: z.string().min(1) });

async function fromGitHub(host: Host, url: string, secret: string): Promise<string> {
  if (!URL.canParse(url)) throw noToken('an ACTIONS_ID_TOKEN_REQUEST_URL that is no URL');
  const address = new URL(url);
  address.searchParams.set('audience', audience);
  const service: Service = {
    code: 'sigstore/no-token',
    failed: "the CI's token service returned no identity token",
    expected: 'JSON with a token',
    hint: permission,
    limit: maxAnswer,
    secret: () => secret,
  };
  return await callService(host, {}, service, async () => {
    const { body } = await host.fetch(address.href, { headers: { authorization: `bearer ${secret}` } });
    const read = answer.safeParse(JSON.parse((await collectBytes(body, maxAnswer))?.toString() ?? ''));
    if (read.success) return read.data.value;
    throw new Unfit(`value: ${read.error.issues[0]?.message ?? ''}`);
  });
}

/** Claims that are read here; the issuer's signature is Fulcio's to check. */
interface Claims {
  readonly email?: unknown;
  readonly email_verified?: unknown;
  readonly sub?: unknown;
  readonly aud?: unknown;
  readonly exp?: unknown;
}

function claimsOf(token: string): Claims | undefined {
  const parts = token.split('.');
  if (parts.length !== 3) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(parts[1] ?? '', 'base64url').toString());
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * checkToken finds what would make Fulcio refuse, before the token is sent. No message ever holds the
 * token. Throws `sigstore/bad-token` or `sigstore/token-expired`.
 */
export function checkToken(token: string, now: Date): string {
  const bad = (expected: string, found: string): AppError =>
    new AppError('sigstore/bad-token', 'usage', 'the identity token cannot be used', { expected, found });
  const claims = claimsOf(token);
  if (claims === undefined) throw bad('a JSON Web Token', `${token.length} characters that are none`);
  const audiences = [claims.aud].flat();
  if (!audiences.includes(audience))
    throw bad(`a token for the audience ${audience}`, JSON.stringify(claims.aud).slice(0, 200));
  const { email, email_verified: verified, sub } = claims;
  if (typeof email === 'string' && email !== '' ? verified !== true : typeof sub !== 'string' || sub === '')
    throw bad('a token with a subject, or with an e-mail address that its issuer verified', 'one without');
  if (typeof claims.exp !== 'number') throw bad('a token with a time of expiry', 'none');
  if (claims.exp * 1000 <= now.getTime())
    throw new AppError('sigstore/token-expired', 'upstream', 'the identity token has expired', {
      expected: `a token that is valid at ${now.toISOString()} (this machine's clock)`,
      found: `it ended at ${new Date(claims.exp * 1000).toISOString()}`,
      hint: 'ask for a new one (in CI: run the job again), and check this machine’s clock',
    });
  return token;
}

/** identityToken asks the CI, or takes SIGSTORE_ID_TOKEN. Throws `sigstore/no-token` and what checkToken throws. */
export async function identityToken(host: Host): Promise<string> {
  const {
    SIGSTORE_ID_TOKEN: given,
    ACTIONS_ID_TOKEN_REQUEST_URL: url,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: secret,
  } = host.env;
  if (given !== undefined && given !== '') return checkToken(given.trim(), host.clock.now());
  if (url === undefined || secret === undefined)
    throw noToken(
      host.env['GITHUB_ACTIONS'] === 'true'
        ? 'a job without the right to ask for a token'
        : 'no CI with a token service',
    );
  return checkToken(await fromGitHub(host, url, secret), host.clock.now());
}
