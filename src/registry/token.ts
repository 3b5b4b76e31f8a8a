import { AppError } from '../errors/index.ts';
import type { FetchResponse } from '../host/index.ts';
import { isLoopback } from '../core/image-ref.ts';
import { readBody } from './body.ts';
import type { Credential } from './credentials.ts';
import type { Request } from './follow.ts';
import { isRecord, text } from './json.ts';
import type { Secrets } from './redact.ts';
import type { Repository } from './repository.ts';

/** A bearer token and the time (milliseconds since 1970) until which it is used. */
export interface Token {
  readonly value: string;
  readonly until: number;
}

export interface TokenRequest {
  readonly realm: string;
  readonly service?: string | undefined;
  readonly scopes: readonly string[];
  readonly credential: Credential;
  readonly repo: Repository;
  readonly origin: string;
}

/** What fetching a token needs of the transport. */
export interface TokenDoor {
  readonly secrets: Secrets;
  readonly plainHttp: readonly string[];
  now(): number;
  ask<T>(request: Request, repo: Repository, read: (response: FetchResponse) => Promise<T>): Promise<T>;
}

const clientId = 'openshell-runner-images';

function checkedRealm(door: TokenDoor, wanted: TokenRequest): URL {
  const fail = (found: string): AppError =>
    new AppError('registry/challenge', 'upstream', `${wanted.repo.registry} names a token endpoint that is refused`, {
      expected: 'an https address',
      found,
    });
  let url: URL;
  try {
    url = new URL(wanted.realm);
  } catch {
    throw fail(JSON.stringify(wanted.realm.slice(0, 120)));
  }
  const plain = isLoopback(url.host) || door.plainHttp.includes(url.host);
  // A registry reached by https must not make us send a password in the clear, not even to loopback.
  const allowed = url.protocol === 'https:' || (url.protocol === 'http:' && plain && wanted.origin.startsWith('http:'));
  if (!allowed || url.username !== '' || url.password !== '') throw fail(`${url.protocol}//${url.host}`);
  return url;
}

function requestFor(url: URL, wanted: TokenRequest): Request {
  const { credential, service, scopes } = wanted;
  const trusted = url.origin;
  if (credential.$case === 'identity') {
    // OAuth2 refresh (distribution spec: docs/spec/auth/oauth).
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: clientId,
      refresh_token: credential.token,
    });
    if (service !== undefined) form.set('service', service);
    form.set('scope', scopes.join(' '));
    const body = Buffer.from(form.toString());
    const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
    return { method: 'POST', url: url.href, headers, trusted, body: async () => body, secretBody: true };
  }
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  if (credential.$case !== 'password')
    return { method: 'GET', url: url.href, headers: { accept: 'application/json' }, trusted };
  url.searchParams.set('account', credential.username);
  const basic = Buffer.from(`${credential.username}:${credential.password}`).toString('base64');
  const authorization = `Basic ${basic}`;
  return { method: 'GET', url: url.href, headers: { accept: 'application/json' }, trusted, authorization };
}

/** fetchToken asks the token endpoint. Throws `registry/challenge` or what the transport throws. */
export async function fetchToken(door: TokenDoor, wanted: TokenRequest): Promise<Token> {
  const request = requestFor(checkedRealm(door, wanted), wanted);
  door.secrets.remember(request.authorization?.slice('Basic '.length));
  const asked = door.now();
  const body = await door.ask(request, wanted.repo, (response) => readBody(response, 256 * 1024, 'the token answer'));
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    value = undefined;
  }
  const token = isRecord(value) ? (text(value['token']) ?? text(value['access_token'])) : undefined;
  if (token === undefined || /[^\x21-\x7e]/.test(token))
    throw new AppError(
      'registry/challenge',
      'upstream',
      `the token endpoint of ${wanted.repo.registry} gave no token`,
      {
        expected: 'JSON with a token or an access_token',
        found: isRecord(value) ? `JSON with ${Object.keys(value).slice(0, 8).join(', ')}` : 'something else',
      },
    );
  door.secrets.remember(token);
  const given = isRecord(value) ? value['expires_in'] : undefined;
  // 60 s is what the specification says when nothing is said.
  const seconds = typeof given === 'number' && given > 0 ? given : 60;
  // Renewed early, so that a token does not run out on its way.
  return { value: token, until: asked + seconds * 1000 - Math.min(10_000, seconds * 200) };
}
