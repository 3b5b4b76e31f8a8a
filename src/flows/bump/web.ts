import { AppError } from '../../errors/index.ts';
import type { Mirrors } from '../../core/index.ts';
import { mirrorUrl } from '../../dockerfile/render-values.ts';
import type { FetchResponse, Host } from '../../host/index.ts';
import { attempts, type Attempt } from '../../registry/attempts.ts';
import { discard, readBody, readSome } from '../../registry/body.ts';
import { codeOf, networkFailure, readErrors, RegistryError, type Failure } from '../../registry/failure.ts';
import { follow } from '../../registry/follow.ts';
import { Gate } from '../../registry/gate.ts';
import type { PageCache } from '../../registry/index.ts';
import { Secrets } from '../../registry/redact.ts';
import { askedWait, defaultRetry, isTransient } from '../../core/retry.ts';

const maxJsonBytes = 32 * 1024 * 1024;

export interface Ask {
  readonly accept?: string;
  /** Remember the answer, and ask on condition the next time. */
  readonly remember?: boolean;
  /** Sent to the URL's own origin only, and never to a mirror. */
  readonly authorization?: string | undefined;
}

/** Web reads documents and downloads over HTTPS: bounded per host, tried again where that helps, gone told apart. */
export class Web {
  readonly #host: Host;
  readonly #mirrors: Mirrors;
  readonly #pages: PageCache | undefined;
  readonly #gates = new Map<string, Gate>();
  readonly #secrets = new Secrets();

  constructor(host: Host, mirrors: Mirrors, pages?: PageCache) {
    this.#host = host;
    this.#mirrors = mirrors;
    this.#pages = pages;
  }

  /** json gives undefined when the server says that it is not there. Throws `bump/upstream`, `bump/unexpected-answer`. */
  async json(url: string, ask: Ask = {}, limit = maxJsonBytes): Promise<unknown> {
    const text = await this.text(url, { accept: 'application/json', ...ask }, limit);
    if (text === undefined) return undefined;
    try {
      return JSON.parse(text) as unknown;
    } catch (cause) {
      throw new AppError('bump/unexpected-answer', 'upstream', `${new URL(url).host} sent no JSON`, {
        expected: `a JSON document from ${url}`,
        found: /^\s*</.test(text) ? 'an HTML page' : `${text.length} characters of something else`,
        hint: 'something between this machine and the upstream (a proxy, a login page) may answer instead of it',
        cause,
      });
    }
  }

  async text(url: string, ask: Ask = {}, limit = maxJsonBytes): Promise<string | undefined> {
    const address = mirrorUrl(url, this.#mirrors);
    const pages = ask.remember === true ? this.#pages : undefined;
    const known = await pages?.get(address);
    return this.read(
      url,
      ask,
      async (answer) => {
        if (answer.status === 304 && known !== undefined) {
          await discard(answer.body);
          return known.text;
        }
        const text = (await readBody(answer, limit, url)).toString('utf8');
        const etag = answer.headers.get('etag');
        if (etag !== undefined && etag !== '' && etag.length <= 512) await pages?.set(address, { etag, text });
        return text;
      },
      known?.etag,
    );
  }

  /** read hands the body of a 200 to `work`; a body that breaks is asked for again. 404 and 410 give undefined. */
  async read<T>(
    url: string,
    ask: Ask,
    work: (answer: FetchResponse) => Promise<T>,
    etag?: string,
  ): Promise<T | undefined> {
    const mirrored = mirrorUrl(url, this.#mirrors);
    const where = new URL(url).host;
    if (ask.authorization !== undefined) this.#secrets.remember(ask.authorization);
    const task = {
      doing: `read ${url}`,
      where,
      policy: defaultRetry,
      pause: (milliseconds: number) => {
        this.#gate(mirrored).pause(milliseconds);
      },
    };
    try {
      return await attempts(this.#host, task, () => this.#once(mirrored, mirrored === url, ask, work, etag));
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      throw new AppError('bump/upstream', 'upstream', error.message, {
        expected: `${where} to answer the request`,
        found: error.facts.found ?? '',
        hint:
          error.code === 'registry/rate-limited'
            ? `wait${error.wait === undefined ? '' : ` ${Math.ceil(error.wait / 1000)} s`}, or set GITHUB_TOKEN: those who are known may ask more often`
            : 'run the command again; when it stays so, look at the status page of the upstream',
        cause: error.cause,
      });
    }
  }

  #gate(url: string): Gate {
    const { host } = new URL(url);
    const gate = this.#gates.get(host) ?? new Gate(8, this.#host.clock);
    this.#gates.set(host, gate);
    return gate;
  }

  async #once<T>(
    url: string,
    direct: boolean,
    ask: Ask,
    work: (answer: FetchResponse) => Promise<T>,
    etag: string | undefined,
  ): Promise<Attempt<T | undefined>> {
    try {
      const { response } = await follow(this.#host, (at) => this.#gate(at), [], {
        method: 'GET',
        url,
        headers: {
          ...(ask.accept === undefined ? {} : { accept: ask.accept }),
          ...(etag === undefined ? {} : { 'if-none-match': etag }),
        },
        ...(direct && ask.authorization !== undefined ? { authorization: ask.authorization } : {}),
        trusted: new URL(url).origin,
      });
      const { status } = response;
      if (status === 200 || (status === 304 && etag !== undefined))
        return { $case: 'done', value: await work(response) };
      if (status === 404 || status === 410) {
        await discard(response.body);
        return { $case: 'done', value: undefined };
      }
      return { $case: 'failed', failure: await this.#failure(response) };
    } catch (error) {
      const failure = networkFailure(error, this.#secrets);
      if (failure === undefined) throw error;
      return { $case: 'failed', failure };
    }
  }

  async #failure(response: FetchResponse): Promise<Failure> {
    const { status, headers } = response;
    const said = `HTTP ${status} ${readErrors(await readSome(response.body), this.#secrets)}`.trim();
    // GitHub says "too many" with 403 and a header; retrying makes it worse unless it says when.
    const spent = status === 403 && (headers.get('x-ratelimit-remaining') === '0' || headers.has('retry-after'));
    const limited = status === 429 || spent;
    const wait = limited || isTransient(status) ? askedWait(headers, this.#host.clock.now()) : undefined;
    return {
      code: limited ? 'rate-limited' : codeOf(status),
      status,
      said,
      retry: isTransient(status) || (spent && wait !== undefined),
      ...(wait === undefined ? {} : { wait }),
    };
  }
}
