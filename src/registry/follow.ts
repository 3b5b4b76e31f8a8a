import { AppError } from '../errors/index.ts';
import type { FetchOptions, FetchResponse, Host } from '../host/index.ts';
import { isLoopback } from '../core/image-ref.ts';
import { discard } from './body.ts';
import type { Limiter } from '../core/limit.ts';
import { redactUrl } from './redact.ts';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** One HTTP request, before anyone decided how often it is tried. */
export interface Request {
  readonly method: Method;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Value of Authorization, sent to `trusted` only. */
  readonly authorization?: string | undefined;
  /** The origin that may see the authorization. */
  readonly trusted: string;
  /** Called for each request that is sent, since a stream can be sent only once. */
  readonly body?: (() => Promise<NonNullable<FetchOptions['body']>>) | undefined;
  readonly timeout?: number | undefined;
  /** Milliseconds for the whole request and its answer. */
  readonly total?: number | undefined;
  /** The body itself is a credential: no redirect is followed with it, not even on the same origin. */
  readonly secretBody?: boolean | undefined;
}

export interface Followed {
  readonly response: FetchResponse;
  /** Where the answer came from, after redirects. */
  readonly url: string;
}

const maxRedirects = 5;

function target(from: string, location: string | undefined, plainHttp: readonly string[]): string {
  const refuse = (found: string): AppError =>
    new AppError('registry/redirect', 'upstream', `${new URL(from).host} redirects in a way that is not followed`, {
      expected: 'a redirect to an https address',
      found,
    });
  if (location === undefined) throw refuse('a redirect without Location');
  let url: URL;
  try {
    url = new URL(location, from);
  } catch {
    throw refuse('a malformed Location');
  }
  const plain = isLoopback(url.host) || plainHttp.includes(url.host);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && plain)) throw refuse(redactUrl(url.href));
  if (url.protocol === 'http:' && from.startsWith('https:')) throw refuse(redactUrl(url.href));
  return url.href;
}

/**
 * follow sends a request and goes after redirects. Credentials are sent to the trusted origin alone:
 * registries redirect blobs to object stores, which must never see them.
 */
export async function follow(
  host: Host,
  gateOf: (url: string) => Limiter,
  plainHttp: readonly string[],
  request: Request,
): Promise<Followed> {
  let url = request.url;
  for (let hop = 0; hop <= maxRedirects; hop += 1) {
    const here = url;
    const trusted = new URL(here).origin === request.trusted;
    const headers = {
      ...request.headers,
      ...(trusted && request.authorization !== undefined ? { authorization: request.authorization } : {}),
    };
    const response = await gateOf(here).run(async () => {
      const body = await request.body?.();
      return host.fetch(here, {
        method: request.method,
        headers,
        body,
        timeout: request.timeout,
        total: request.total,
      });
    }, host.signal);
    const { status } = response;
    const reading = request.method === 'GET' || request.method === 'HEAD';
    if (!(status === 307 || status === 308 || (reading && (status === 301 || status === 302 || status === 303))))
      return { response, url: here };
    await discard(response.body);
    url = target(here, response.headers.get('location'), plainHttp);
    if (request.secretBody === true)
      throw new AppError('registry/redirect', 'upstream', `${new URL(here).host} redirects a login`, {
        expected: 'an answer: a credential in a body is sent to the address that was named, and nowhere else',
        found: `a redirect to ${redactUrl(url)}`,
        hint: 'name the token endpoint itself in the registry, or log in with a password or a robot account',
      });
  }
  throw new AppError('registry/redirect', 'upstream', `${new URL(request.url).host} redirects in circles`, {
    expected: `at most ${maxRedirects} redirects`,
    found: redactUrl(url),
  });
}
