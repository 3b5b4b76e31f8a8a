import { AppError } from '../errors/index.ts';

/** How often one request is tried, and how long between. Times in milliseconds. */
export interface RetryPolicy {
  readonly attempts: number;
  /** Wait before the second attempt; doubles with every further one. */
  readonly base: number;
  readonly max: number;
  /** A server that asks for a longer wait than this is not waited for. */
  readonly longestWait: number;
}

/**
 * defaultRetry is how registries are asked: six attempts, at most 20 s apart unless the server asks for up to 3
 * minutes.
 */
export const defaultRetry: RetryPolicy = { attempts: 6, base: 400, max: 20_000, longestWait: 180_000 };

/** backoff returns the wait after attempt `attempt` (1 is the first), half of it jitter. */
export function backoff(policy: RetryPolicy, attempt: number, random: () => number = Math.random): number {
  const full = Math.min(policy.max, policy.base * 2 ** (attempt - 1));
  return Math.round(full / 2 + (full / 2) * random());
}

/**
 * askedWait reads how long the server wants us to wait, in milliseconds: `Retry-After` in seconds or
 * as a date (RFC 9110, 10.2.3), else the reset of the rate-limit headers (seconds, or epoch seconds).
 */
export function askedWait(headers: ReadonlyMap<string, string>, now: Date): number | undefined {
  const after = headers.get('retry-after')?.trim();
  if (after !== undefined) {
    if (/^\d{1,9}$/.test(after)) return Number(after) * 1000;
    const date = Date.parse(after);
    if (!Number.isNaN(date)) return Math.max(0, date - now.getTime());
  }
  const reset = headers.get('x-ratelimit-reset') ?? headers.get('ratelimit-reset');
  if (reset === undefined || !/^\d{1,12}$/.test(reset.trim())) return undefined;
  const seconds = Number(reset);
  return seconds > 1_000_000_000 ? Math.max(0, seconds * 1000 - now.getTime()) : seconds * 1000;
}

/** isTransient: statuses worth another attempt. 401, 403 and 404 never are. */
export function isTransient(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || (status >= 500 && status !== 501 && status !== 505);
}

/** What one attempt ends in: a value, or a failure that may be worth another attempt. */
export type Attempt<T, F> =
  { readonly $case: 'done'; readonly value: T } | { readonly $case: 'failed'; readonly failure: F };

export interface Retriable {
  readonly retry: boolean;
  /** Milliseconds that the server asked us to wait. */
  readonly wait?: number | undefined;
}

/** What a caller does with a failure; `attempts` is how many there were. */
export interface Reactions<F> {
  readonly giveUp: (failure: F, attempts: number) => Error;
  readonly wait: (failure: F, milliseconds: number, attempts: number) => Promise<void>;
}

/** withRetry runs one attempt after the other until one works or none is worth trying. Throws what `giveUp` returns. */
export async function withRetry<T, F extends Retriable>(
  policy: RetryPolicy,
  { giveUp, wait }: Reactions<F>,
  once: (attempt: number) => Promise<Attempt<T, F>>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await once(attempt);
    if (outcome.$case === 'done') return outcome.value;
    const { failure } = outcome;
    const asked = failure.wait ?? 0;
    if (!failure.retry || attempt >= policy.attempts || asked > policy.longestWait) throw giveUp(failure, attempt);
    await wait(failure, Math.max(asked, backoff(policy, attempt)), attempt);
  }
}

/** systemCode finds the first `code` of an error or of its causes: ECONNRESET, CERT_HAS_EXPIRED… */
export function systemCode(error: unknown): string | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause)
    if (!(at instanceof AppError) && 'code' in at && typeof at.code === 'string') return at.code;
  return undefined;
}

const certificateCodes = /^(?:CERT_|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED|UNABLE_TO_|ERR_TLS_|ERR_SSL_|EPROTO)/;

/** isCertificateProblem: the other side shows a certificate that this machine does not trust; asking again changes nothing. */
export function isCertificateProblem(code: string | undefined): boolean {
  return code !== undefined && certificateCodes.test(code);
}
