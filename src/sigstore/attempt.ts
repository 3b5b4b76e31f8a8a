import { collectBytes } from '../core/bytes.ts';
import {
  askedWait,
  isCertificateProblem,
  isTransient,
  systemCode,
  type Attempt,
  type Retriable,
} from '../core/retry.ts';
import { timeLimit } from '../core/time-limit.ts';
import { AppError, type ErrorFacts } from '../errors/index.ts';
import type { FetchResponse, Host } from '../host/index.ts';

/** Question is one request to a service of Sigstore, or to whoever gives the tokens for it. */
export interface Question {
  /** As in `sigstore/rekor`. */
  readonly code: string;
  /** What it means when there is no answer: `Rekor took no entry`. */
  readonly failed: string;
  readonly hint?: string;
  readonly url: string;
  /** Sent as JSON by POST; without it the question is a GET. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Upper limit of the answer, in bytes. */
  readonly limit: number;
  /** A status that is an answer although it is none of 2xx. */
  readonly also?: number;
  /** What must never be told. */
  readonly secret?: string | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly bytes: Buffer;
}

/** Why an attempt gave no answer. */
export interface Failure extends Retriable {
  readonly facts: ErrorFacts;
}

/** A refusal's own words; more of it is not read. */
const maxRefusal = 16 * 1024;

async function judge(response: FetchResponse, now: Date): Promise<Failure> {
  const { status, headers } = response;
  const text = (await collectBytes(response.body, maxRefusal))?.toString('utf8') ?? '';
  const wait = askedWait(headers, now);
  const asks = wait === undefined || wait === 0 ? '' : `, asks to wait ${Math.ceil(wait / 1000)} s`;
  return {
    facts: { expected: 'an answer with status 2xx', found: `status ${status}${wordsOf(text, headers)}${asks}` },
    retry: isTransient(status),
    ...(wait === undefined ? {} : { wait }),
  };
}

function wordsOf(text: string, headers: ReadonlyMap<string, string>): string {
  const location = headers.get('location');
  if (location !== undefined) return `, which leads to ${location}: name that address itself`;
  if (/^\s*</.test(text)) return ', an HTML page';
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    return typeof message === 'string' ? `, ${message}` : '';
  } catch {
    return '';
  }
}

/** A connection that broke or never was; undefined for everything else. */
function broken(error: unknown): Failure | undefined {
  const code = systemCode(error);
  if (error instanceof AppError ? error.code !== 'host/network' : code === undefined) return undefined;
  const said = error instanceof AppError && error.cause instanceof Error ? error.cause.message : String(error);
  const facts = { expected: 'an answer', found: `none: ${said}${said.includes(code ?? '') ? '' : ` (${code ?? ''})`}` };
  if (!isCertificateProblem(code)) return { facts, retry: code !== 'ENOTFOUND' };
  return { facts: { ...facts, hint: "set NODE_EXTRA_CA_CERTS to the PEM file of the service's CA" }, retry: false };
}

/** attempt asks once. Throws only when the host is aborted, and what is nobody's failure but ours. */
export async function attempt(host: Host, timeout: number, question: Question): Promise<Attempt<Answer, Failure>> {
  const failed = (failure: Failure) => ({ $case: 'failed', failure }) as const;
  const signal = timeLimit(host.signal, timeout);
  const { url, body, limit } = question;
  try {
    const response = await host.fetch(url, {
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...question.headers },
      // The host's own patience is longer, so that there is one limit to tell of.
      timeout: 2 * timeout,
      signal,
    });
    const { status, headers } = response;
    if ((status < 200 || status > 299) && status !== question.also)
      return failed(await judge(response, host.clock.now()));
    const announced = Number(headers.get('content-length') ?? '0');
    const bytes = announced > limit ? undefined : await collectBytes(response.body, limit);
    if (bytes !== undefined) return { $case: 'done', value: { status, headers, bytes } };
    response.body.destroy();
    const found = announced > limit ? `${announced} bytes announced` : `more than ${limit} bytes`;
    return failed({ facts: { expected: `an answer of at most ${limit} bytes`, found }, retry: false });
  } catch (error) {
    if (host.signal.aborted) throw error;
    if (signal.aborted)
      return failed({ facts: { expected: `a whole answer within ${timeout / 1000} s`, found: 'none' }, retry: true });
    const failure = broken(error);
    if (failure === undefined) throw error;
    return failed(failure);
  }
}
