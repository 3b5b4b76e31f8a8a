import { deadlines } from '../core/deadlines.ts';
import { AppError } from '../errors/index.ts';
import type { FetchOptions, FetchResponse, Host } from '../host/index.ts';
import { attempts, type Attempt } from './attempts.ts';
import { Authorizer } from './authorizer.ts';
import { readSome } from './body.ts';
import { Credentials } from './credentials.ts';
import { codeOf, innerError, networkFailure, readErrors, type Failure } from './failure.ts';
import { follow, type Followed, type Method, type Request } from './follow.ts';
import { Limiter } from '../core/limit.ts';
import { Secrets } from './redact.ts';
import { endpointOf, formatRepository, type Endpoint, type Repository } from './repository.ts';
import { askedWait, defaultRetry, isTransient, type RetryPolicy } from '../core/retry.ts';
import type { Scope } from './scope.ts';

/** A request to a registry's API. */
export interface Call {
  readonly repo: Repository;
  readonly method: Method;
  /** Absolute. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: (() => Promise<NonNullable<FetchOptions['body']>>) | undefined;
  readonly scopes: readonly Scope[];
  /** Statuses that `read` handles; every other one is a failure. */
  readonly expect: readonly number[];
  /** As in "could not …": `read the manifest quay.io/x/y:tag`. */
  readonly doing: string;
  readonly timeout?: number | undefined;
  /** Milliseconds for the whole request and its answer. Default: what a document may take. */
  readonly total?: number | undefined;
  /** Fewer attempts than the policy's, where the caller has its own way to go on. */
  readonly attempts?: number | undefined;
}

export interface Answer extends FetchResponse {
  /** Where it came from, after redirects. */
  readonly url: string;
}

export interface TransportOptions {
  /** Hosts besides loopback that are spoken to without TLS; else those of RUNNER_IMAGE_PLAIN_HTTP. */
  readonly plainHttp?: readonly string[] | undefined;
  /** Requests under way at once per host, until their headers are there. Default 16. */
  readonly concurrency?: number | undefined;
  readonly retry?: Partial<RetryPolicy> | undefined;
}

/** Transport sends calls: authorised, bounded per host, tried again where that can help. */
export class Transport {
  readonly host: Host;
  readonly secrets = new Secrets();
  readonly policy: RetryPolicy;
  readonly plainHttp: readonly string[];
  readonly #authorizer: Authorizer;
  readonly #gates = new Map<string, Limiter>();
  readonly #concurrency: number;

  constructor(host: Host, options: TransportOptions = {}) {
    this.host = host;
    this.policy = { ...defaultRetry, ...options.retry };
    this.plainHttp = options.plainHttp ?? (host.env['RUNNER_IMAGE_PLAIN_HTTP'] ?? '').split(/[ ,]+/).filter(Boolean);
    this.#concurrency = options.concurrency ?? 16;
    this.#authorizer = new Authorizer(host, new Credentials(host, this.secrets), this.secrets, {
      secrets: this.secrets,
      plainHttp: this.plainHttp,
      now: () => host.clock.now().getTime(),
      ask: (request, repo, read) => this.#ask(request, repo, read),
    });
  }

  endpoint(repo: Repository): Endpoint {
    return endpointOf(repo, this.plainHttp, this.host.hasCertificates?.(repo.registry) === true);
  }

  /** url returns an address of the API: `url(repo, 'manifests/latest')`. */
  url(repo: Repository, path: string): string {
    const { origin, name } = this.endpoint(repo);
    return `${origin}/v2/${name}/${path}`;
  }

  /**
   * send returns what `read` makes of the answer. What breaks while `read` reads the body counts as a
   * failed attempt, too. Throws RegistryError, or what `read` throws about the content.
   */
  async send<T>(call: Call, read: (answer: Answer) => Promise<T>): Promise<T> {
    const policy = call.attempts === undefined ? this.policy : { ...this.policy, attempts: call.attempts };
    const pause = (milliseconds: number): void => {
      this.#gate(call.url).pause(milliseconds);
    };
    const task = { doing: call.doing, where: formatRepository(call.repo), policy, pause };
    return attempts(this.host, task, () => this.#attempt(call.url, () => this.#authorised(call), call.expect, read));
  }

  #gate(url: string): Limiter {
    const { host } = new URL(url);
    const gate = this.#gates.get(host) ?? new Limiter(this.#concurrency, this.host.clock);
    this.#gates.set(host, gate);
    return gate;
  }

  #follow(request: Request): Promise<Followed> {
    return follow(this.host, (url) => this.#gate(url), this.plainHttp, request);
  }

  async #authorised(call: Call): Promise<Followed> {
    const { origin } = this.endpoint(call.repo);
    const request = {
      method: call.method,
      url: call.url,
      headers: call.headers ?? {},
      trusted: origin,
      body: call.body,
      timeout: call.timeout,
      total: call.total ?? deadlines.document,
    };
    const authorization = await this.#authorizer.header(origin, call.repo, call.scopes);
    const first = await this.#follow({ ...request, authorization });
    // Only the registry itself may ask who we are; a store behind a redirect may not.
    if (first.response.status !== 401 || new URL(first.url).origin !== origin) return first;
    const header = first.response.headers.get('www-authenticate');
    const next = await this.#authorizer.challenged(origin, call.repo, call.scopes, header, authorization);
    if (next === undefined) return first;
    first.response.body.resume().on('error', () => undefined);
    return this.#follow({ ...request, authorization: next });
  }

  /** Token endpoints: the same patience, no authorisation of their own. */
  #ask<T>(request: Request, repo: Repository, read: (response: FetchResponse) => Promise<T>): Promise<T> {
    const task = {
      doing: `get a token from ${new URL(request.url).host}`,
      where: formatRepository(repo),
      policy: this.policy,
    };
    const asked = { total: deadlines.document, ...request };
    return attempts(this.host, task, () => this.#attempt(request.url, () => this.#follow(asked), [200], read));
  }

  async #attempt<T>(
    asked: string,
    open: () => Promise<Followed>,
    expect: readonly number[],
    read: (answer: Answer) => Promise<T>,
  ): Promise<Attempt<T>> {
    try {
      const { response, url } = await open();
      if (expect.includes(response.status)) return { $case: 'done', value: await read({ ...response, url }) };
      return { $case: 'failed', failure: await this.#judge(response, asked, url) };
    } catch (error) {
      if (this.host.signal.aborted) throw error;
      const inner = error instanceof AppError && error.code !== 'host/network' ? undefined : innerError(error);
      if (inner !== undefined) throw inner;
      const failure = networkFailure(error, this.secrets);
      if (failure === undefined) throw error;
      return { $case: 'failed', failure };
    }
  }

  async #judge(response: FetchResponse, asked: string, url: string): Promise<Failure> {
    const { status } = response;
    const { host } = new URL(url);
    // Logging in would not help with an object store that refuses the registry's own link.
    const foreign = host !== new URL(asked).host;
    const errors = readErrors(await readSome(response.body), this.secrets);
    const wait = askedWait(response.headers, this.host.clock.now());
    return {
      code: foreign && status < 500 && status !== 429 ? 'redirect' : codeOf(status),
      status,
      said: `status ${status}${foreign ? ` from ${host}` : ''}${errors === '' ? '' : `, ${errors}`}`,
      retry: isTransient(status),
      wait,
    };
  }
}

/** isNotFound: the registry said 404. */
export function isNotFound(error: unknown): boolean {
  return error instanceof AppError && error.code === 'registry/not-found';
}
