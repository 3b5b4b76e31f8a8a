import { AppError } from '../errors/index.ts';
import type { Host } from '../host/index.ts';

const audience = 'sigstore';
const maxAnswer = 64 * 1024;

const noToken = (found: string, cause?: unknown): AppError =>
  new AppError('sigstore/no-token', 'usage', 'there is no identity token to sign with', {
    expected: 'a CI job that may ask for one, or SIGSTORE_ID_TOKEN, or a key of your own',
    found,
    hint: 'in GitHub Actions give the job `permissions: id-token: write`; pull requests of forks never get it',
    ...(cause === undefined ? {} : { cause }),
  });

async function fromGitHub(host: Host, url: string, secret: string): Promise<string> {
  const address = new URL(url);
  address.searchParams.set('audience', audience);
  const response = await host.fetch(address.href, { headers: { authorization: `bearer ${secret}` } });
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += (chunk as Buffer).length;
    if (size > maxAnswer) throw noToken('an answer that is too large for a token');
    chunks.push(chunk as Buffer);
  }
  if (response.status !== 200) throw noToken(`status ${response.status} from the CI's token service`);
  let value: unknown;
  try {
    value = (JSON.parse(Buffer.concat(chunks).toString()) as { value?: unknown }).value;
  } catch {
    throw noToken("an answer of the CI's token service that is not JSON");
  }
  if (typeof value !== 'string') throw noToken("an answer of the CI's token service without a token");
  return value;
}

/** Claims that are read here; the issuer's signature is Fulcio's to check. */
interface Claims {
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
      host.env['GITHUB_ACTIONS'] === 'true' ? 'a job without the right to ask for a token' : 'no CI that gives tokens',
    );
  try {
    return checkToken(await fromGitHub(host, url, secret), host.clock.now());
  } catch (error) {
    if (error instanceof AppError && error.code.startsWith('sigstore/')) throw error;
    throw noToken("no answer of the CI's token service", new Error(error instanceof Error ? error.message : 'unknown'));
  }
}
