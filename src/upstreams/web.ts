import { Limiter, mirrorUrl, type Mirrors } from '../core/index.ts';
import { askedWait, defaultRetry, isTransient } from '../core/retry.ts';
import type { FetchResponse, Host } from '../host/index.ts';
import { attempts, type Attempt } from '../registry/attempts.ts';
import { discard, readBody, readSome } from '../registry/body.ts';
import { codeOf, networkFailure, readErrors, RegistryError, type Failure } from '../registry/failure.ts';
import { follow } from '../registry/follow.ts';
import { Secrets } from '../registry/redact.ts';
import type { Answers } from './answers.ts';
import { UpstreamError } from './errors.ts';
import { unexpected } from './types.ts';

const maxJsonBytes = 32 * 1024 * 1024;

export interface Ask {
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Remember the answer, and ask on condition the next time. */
  readonly remember?: boolean | undefined;
  /** Sent to the URL's own origin only, and never to a mirror. */
  readonly authorization?: string | undefined;
}

/** Web reads documents and downloads over HTTPS: bounded per host, tried again where that helps, gone distinguished. */
export class Web {
  readonly #host: Host;
  readonly #mirrors: Mirrors;
  readonly #answers: Answers;
  readonly #gates = new Map<string, Limiter>();
  readonly #secrets = new Secrets();

  constructor(host: Host, mirrors: Mirrors, answers: Answers) {
    this.#host = host;
    this.#mirrors = mirrors;
    this.#answers = answers;
  }

  /** json returns undefined when the server says that it is not there. Throws `bump/upstream`, `bump/unexpected-answer`. */
  async json(url: string, ask: Ask = {}): Promise<unknown> {
    const text = await this.text(url, { ...ask, headers: { accept: 'application/json', ...ask.headers } });
    if (text === undefined) return undefined;
    try {
      return JSON.parse(text) as unknown;
    } catch (cause) {
      const found = /^\s*</.test(text) ? 'an HTML page' : `${text.length} characters of something else`;
      throw unexpected(`${new URL(url).host} sent no JSON`, `a JSON document from ${url}`, found, cause);
    }
  }

  /** text returns undefined like `json`. */
  async text(url: string, ask: Ask = {}, limit = maxJsonBytes): Promise<string | undefined> {
    const address = mirrorUrl(url, this.#mirrors);
    const known = ask.remember === true ? await this.#answers.get(address) : undefined;
    const headers = known === undefined ? ask.headers : { ...ask.headers, 'if-none-match': known.etag };
    return this.read(url, { ...ask, headers }, async (answer) => {
      if (answer.status === 304 && known !== undefined) {
        await discard(answer.body);
        return known.text;
      }
      const text = (await readBody(answer, limit, url)).toString('utf8');
      const etag = answer.headers.get('etag') ?? '';
      if (ask.remember === true && etag !== '' && etag.length <= 512) await this.#answers.set(address, { etag, text });
      return text;
    });
  }

  /** read hands the body of a 200 to `work`; a body that breaks is asked for again. 404 and 410 return undefined. */
  async read<T>(url: string, ask: Ask, work: (answer: FetchResponse) => Promise<T>): Promise<T | undefined> {
    const mirrored = mirrorUrl(url, this.#mirrors);
    const where = new URL(url).host;
    if (ask.authorization !== undefined) this.#secrets.remember(ask.authorization);
    const pause = (milliseconds: number): void => {
      this.#gate(mirrored).pause(milliseconds);
    };
    // A mirror is another host, which the token is not for.
    const own = mirrored === url ? ask : { ...ask, authorization: undefined };
    try {
      const task = { doing: `read ${url}`, where, policy: defaultRetry, pause };
      return await attempts(this.#host, task, () => this.#once(mirrored, own, work));
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      const wait = error.wait === undefined ? '' : ` ${Math.ceil(error.wait / 1000)} s`;
      throw new UpstreamError('bump/upstream', 'upstream', error.message, {
        expected: `${where} to answer the request`,
        found: error.facts.found ?? '',
        hint:
          error.code === 'registry/rate-limited'
            ? `wait${wait}, or set GITHUB_TOKEN: those who are known may ask more often`
            : 'run the command again; when it stays so, look at the status page of the upstream',
        cause: error.cause,
      });
    }
  }

  #gate(url: string): Limiter {
    const { host } = new URL(url);
    const gate = this.#gates.get(host) ?? new Limiter(8, this.#host.clock);
    this.#gates.set(host, gate);
    return gate;
  }

  async #once<T>(
    url: string,
    { headers = {}, authorization }: Ask,
    work: (answer: FetchResponse) => Promise<T>,
  ): Promise<Attempt<T | undefined>> {
    const request = { method: 'GET', url, headers, authorization, trusted: new URL(url).origin } as const;
    try {
      const { response } = await follow(this.#host, (at) => this.#gate(at), [], request);
      const { status } = response;
      if (status === 200 || (status === 304 && 'if-none-match' in headers))
        return { $case: 'done', value: await work(response) };
      if (status !== 404 && status !== 410) return { $case: 'failed', failure: await this.#failure(response) };
      await discard(response.body);
      return { $case: 'done', value: undefined };
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
    const code = limited ? 'rate-limited' : codeOf(status);
    const failure = { code, status, said, retry: isTransient(status) || (spent && wait !== undefined) } as const;
    return wait === undefined ? failure : { ...failure, wait };
  }
}
