import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Who may do what in a stand-in registry. */
export interface AuthOptions {
  readonly scheme: 'basic' | 'bearer';
  readonly user: string;
  readonly password: string;
  /** Accepted at the token endpoint by POST. */
  readonly identityToken?: string;
  /** Repositories (API names) that nobody may push to. */
  readonly readOnly?: readonly string[];
  readonly anonymousPull?: boolean;
  /** Seconds. */
  readonly expiresIn?: number;
}

interface Grant {
  readonly scopes: ReadonlyMap<string, ReadonlySet<string>>;
  readonly until: number;
}

/** MemoryAuth asks for Basic or Bearer as the distribution project's token specification says. */
export class MemoryAuth {
  readonly #options: AuthOptions;
  readonly #now: () => number;
  readonly #grants = new Map<string, Grant>();
  /** Every token request: its scopes, in order of arrival. */
  readonly tokenRequests: { readonly method: string; readonly scopes: readonly string[] }[] = [];

  constructor(options: AuthOptions, now: () => number) {
    this.#options = options;
    this.#now = now;
  }

  revokeAll(): void {
    this.#grants.clear();
  }

  #knows(authorization: string | undefined): boolean {
    const { user, password } = this.#options;
    return authorization === `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  }

  /** allows answers 401 itself when the request may not go on. */
  allows(request: IncomingMessage, response: ServerResponse, origin: string, needs: [string, string][]): boolean {
    const { authorization } = request.headers;
    if (this.#options.scheme === 'basic') {
      if (this.#knows(authorization)) return true;
      response.writeHead(401, { 'www-authenticate': 'Basic realm="stand-in"', 'content-type': 'application/json' });
      response.end(JSON.stringify({ errors: [{ code: 'UNAUTHORIZED', message: 'authentication required' }] }));
      return false;
    }
    const grant = this.#grants.get((authorization ?? '').replace(/^Bearer /, ''));
    const good = grant !== undefined && grant.until > this.#now();
    const missing = needs.filter(([name, action]) => !(good && grant.scopes.get(name)?.has(action) === true));
    if (good && missing.length === 0) return true;
    const scope = needs.map(([name, action]) => `repository:${name}:${action}`).join(' ');
    const error = good ? ',error="insufficient_scope"' : '';
    response.writeHead(401, {
      'www-authenticate': `Bearer realm="${origin}/token",service="stand-in",scope="${scope}"${error}`,
      'content-type': 'application/json',
    });
    response.end(JSON.stringify({ errors: [{ code: 'UNAUTHORIZED', message: 'authentication required' }] }));
    return false;
  }

  /** token answers the token endpoint, for Basic credentials, nobody, or a refresh token. */
  async token(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    let known = this.#knows(request.headers.authorization);
    let { searchParams } = url;
    if (request.method === 'POST') {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      searchParams = new URLSearchParams(Buffer.concat(chunks).toString());
      known = searchParams.get('refresh_token') === this.#options.identityToken;
    }
    const scopes = searchParams.getAll('scope').flatMap((text) => text.split(' '));
    this.tokenRequests.push({ method: request.method ?? '', scopes });
    const refused = request.headers.authorization !== undefined && !known;
    if (refused || searchParams.get('service') !== 'stand-in' || (!known && this.#options.anonymousPull !== true)) {
      response.writeHead(401, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ errors: [{ code: 'UNAUTHORIZED', message: 'incorrect username or password' }] }));
      return;
    }
    const granted = new Map<string, Set<string>>();
    for (const scope of scopes) {
      const [, name = '', actions = ''] = /^repository:(.+):([a-z,]+)$/.exec(scope) ?? [];
      const mayPush = known && this.#options.readOnly?.includes(name) !== true;
      granted.set(name, new Set(actions.split(',').filter((action) => action === 'pull' || mayPush)));
    }
    const token = randomBytes(24).toString('hex');
    const seconds = this.#options.expiresIn ?? 300;
    this.#grants.set(token, { scopes: granted, until: this.#now() + seconds * 1000 });
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ token, expires_in: seconds }));
  }
}
