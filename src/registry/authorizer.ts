import { AppError } from '../errors/index.ts';
import { isLoopback } from '../core/image-ref.ts';
import type { Host } from '../host/index.ts';
import { parseChallenges, type Challenge } from './challenge.ts';
import type { Credential, Credentials } from './credentials.ts';
import type { Secrets } from './redact.ts';
import type { Repository } from './repository.ts';
import { covers, formatScopes, type Scope } from './scope.ts';
import { fetchToken, type Token, type TokenDoor } from './token.ts';

interface Held {
  readonly scopes: readonly string[];
  readonly owner: Credential;
  readonly token: Promise<Token>;
}

interface Known {
  readonly challenge: Challenge;
  readonly tokens: Set<Held>;
}

/** Authorizer answers challenges, keeps tokens until they expire, and asks for each of them once. */
export class Authorizer {
  readonly #host: Host;
  readonly #credentials: Credentials;
  readonly #secrets: Secrets;
  readonly #door: TokenDoor;
  /** By registry origin. */
  readonly #known = new Map<string, Known>();
  readonly #warned = new Set<string>();

  constructor(host: Host, credentials: Credentials, secrets: Secrets, door: TokenDoor) {
    this.#host = host;
    this.#credentials = credentials;
    this.#secrets = secrets;
    this.#door = door;
  }

  /** header returns what to send at once: undefined as long as the registry has asked for nothing. */
  async header(origin: string, repo: Repository, scopes: readonly Scope[]): Promise<string | undefined> {
    const known = this.#known.get(origin);
    return known === undefined ? undefined : this.#answer(known, origin, repo, scopes);
  }

  /**
   * challenged takes the WWW-Authenticate of a 401. It returns a header worth trying, or undefined when
   * what was sent is all there is. `sent` is what the registry has just refused.
   */
  async challenged(
    origin: string,
    repo: Repository,
    scopes: readonly Scope[],
    header: string | undefined,
    sent: string | undefined,
  ): Promise<string | undefined> {
    const challenges = parseChallenges(header ?? '');
    const challenge =
      challenges.find(({ scheme }) => scheme === 'bearer') ?? challenges.find(({ scheme }) => scheme === 'basic');
    if (challenge === undefined) return undefined;
    const before = this.#known.get(origin);
    const same = before !== undefined && identity(before.challenge) === identity(challenge);
    const known = same ? before : { challenge, tokens: new Set<Held>() };
    // A refused token may have been revoked: it is forgotten, unless someone has renewed it already.
    if (same && sent !== undefined) await this.#forget(known, sent);
    this.#known.set(origin, known);
    const next = await this.#answer(known, origin, repo, scopes);
    return next === sent ? undefined : next;
  }

  /** Plain HTTP beyond this machine is the caller's choice (--plain-http); who reads along is not. */
  #warnInTheClear(origin: string): void {
    const { protocol, host } = new URL(origin);
    if (protocol !== 'http:' || isLoopback(host) || this.#warned.has(origin)) return;
    this.#warned.add(origin);
    this.#host.progress.warn(`the login for ${host} goes over plain HTTP: everyone on the way can read and use it`);
  }

  async #forget(known: Known, sent: string): Promise<void> {
    for (const entry of [...known.tokens]) {
      const token = await entry.token.catch(() => undefined);
      if (token !== undefined && `Bearer ${token.value}` === sent) known.tokens.delete(entry);
    }
  }

  async #answer(known: Known, origin: string, repo: Repository, scopes: readonly Scope[]): Promise<string | undefined> {
    const credential = await this.#credentials.find(repo);
    if (credential.$case !== 'anonymous') this.#warnInTheClear(origin);
    if (credential.$case === 'registry') return `Bearer ${credential.token}`;
    if (known.challenge.scheme === 'basic') {
      if (credential.$case !== 'password') return undefined;
      const basic = Buffer.from(`${credential.username}:${credential.password}`).toString('base64');
      this.#secrets.remember(basic);
      return `Basic ${basic}`;
    }
    const wanted = formatScopes(scopes);
    const now = this.#host.clock.now().getTime();
    for (const entry of [...known.tokens]) {
      if (entry.owner !== credential || !covers(entry.scopes, wanted)) continue;
      const token = await entry.token;
      if (token.until > now) return `Bearer ${token.value}`;
      known.tokens.delete(entry);
    }
    const token = this.#fetch(known.challenge, origin, repo, wanted, credential);
    const entry = { scopes: wanted, owner: credential, token };
    known.tokens.add(entry);
    try {
      return `Bearer ${(await token).value}`;
    } catch (error) {
      known.tokens.delete(entry);
      throw error;
    }
  }

  async #fetch(
    challenge: Challenge,
    origin: string,
    repo: Repository,
    scopes: readonly string[],
    credential: Credential,
  ): Promise<Token> {
    const realm = challenge.parameters.get('realm');
    if (realm === undefined)
      throw new AppError('registry/challenge', 'upstream', `${repo.registry} asks for a token but names no realm`);
    const service = challenge.parameters.get('service');
    return fetchToken(this.#door, {
      realm,
      service,
      scopes,
      credential,
      repo,
      origin,
    });
  }
}

const identity = ({ scheme, parameters }: Challenge): string =>
  [scheme, parameters.get('realm'), parameters.get('service')].join(' ');
