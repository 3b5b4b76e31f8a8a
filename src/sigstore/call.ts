import { askedWait, isCertificateProblem, isTransient, systemCode, withRetry, type Retriable } from '../core/retry.ts';
import { timeLimit } from '../core/time-limit.ts';
import { AppError, type ErrorFacts } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import { Door, type Exchange } from './door.ts';
import { scrub } from './scrub.ts';

/** How often and how long a service is asked. */
export interface Patience {
  /** Further attempts after a failure. Default 3. */
  readonly retries?: number | undefined;
  /** Milliseconds before the second attempt; doubled each time. Default 1000. */
  readonly backoff?: number | undefined;
  /** Milliseconds for one attempt, until its answer is whole. Default 30 000. */
  readonly timeout?: number | undefined;
}

export const defaultTimeout = 30_000;

/** A certificate holds for ten minutes: a service that asks for a longer wait is as good as down. */
const policyOf = ({ retries = 3, backoff: base = 1000 }: Patience) =>
  ({ attempts: retries + 1, base, max: 20_000, longestWait: 60_000 }) as const;

/** Service is a part of Sigstore, or the CI's token service, as its errors name it. */
export interface Service {
  /** As in `sigstore/rekor`. */
  readonly code: string;
  /** What it means when there is no answer: `Rekor returned no log entry`. */
  readonly failed: string;
  /** What an answer must be. */
  readonly expected: string;
  readonly hint?: string | undefined;
  /** Upper limit of an answer, in bytes. */
  readonly limit: number;
  /** What must not be shown. */
  readonly secret?: (() => string | undefined) | undefined;
}

/** Unfit is an answer that arrived whole and cannot be used; its message says what it was. */
export class Unfit extends Error {}

/** Why an attempt gave no answer. */
interface Failure extends Retriable {
  readonly facts: ErrorFacts;
}

function wordsOf({ kept, headers }: Exchange): string {
  const location = headers.get('location');
  if (location !== undefined) return `, which leads to ${location}: name that address itself`;
  const text = kept.toString('utf8');
  if (/^\s*</.test(text)) return ', an HTML page';
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    return typeof message === 'string' ? `, ${message}` : '';
  } catch {
    return '';
  }
}

function refused(exchange: Exchange, status: number, now: Date): Failure {
  const wait = askedWait(exchange.headers, now) ?? 0;
  const asks = wait === 0 ? '' : `, asks to wait ${Math.ceil(wait / 1000)} s`;
  const found = `status ${status}${wordsOf(exchange)}${asks}`;
  return { facts: { expected: 'an answer with status 2xx', found }, retry: isTransient(status), wait };
}

/** A connection that broke or never was. */
function broken(error: Error): Failure {
  const code = systemCode(error) ?? '';
  const found = `none: ${error.message}${error.message.includes(code) ? '' : ` (${code})`}`;
  if (!isCertificateProblem(code)) return { facts: { expected: 'an answer', found }, retry: code !== 'ENOTFOUND' };
  const hint = "set NODE_EXTRA_CA_CERTS to the PEM file of the service's CA";
  return { facts: { expected: 'an answer', found, hint }, retry: false };
}

function malformed({ expected }: Service, { kept }: Exchange, error: unknown): Failure {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const said = cause instanceof Error ? cause.message : String(cause);
  const html = /^\s*</.test(kept.subarray(0, 100).toString());
  const found = html ? 'an HTML page' : cause instanceof Unfit ? said : `another form: ${said}`;
  return { facts: { expected, found }, retry: false };
}

function failureOf(service: Service, { last, refusal }: Door, error: unknown, now: Date): Failure {
  if (last === undefined) return { facts: { expected: 'a request', found: String(error) }, retry: false };
  const { status, error: thrown } = last;
  if (refusal !== undefined) {
    const expected = `an answer of at most ${service.limit} bytes, not compressed`;
    return { facts: { expected, found: refusal }, retry: false };
  }
  if (status !== undefined && (status < 200 || status > 299)) return refused(last, status, now);
  return thrown === undefined ? malformed(service, last, error) : broken(thrown);
}

/**
 * callService runs `work`, whose requests go to one service, within the service's limits; it is run again with
 * growing waits while the service is busy, unreachable or cut off. Throws the service's error for everything else,
 * and the reason of the host's signal when that aborts.
 */
export async function callService<T>(
  host: Host,
  patience: Patience,
  service: Service,
  work: () => Promise<T>,
): Promise<T> {
  const timeout = patience.timeout ?? defaultTimeout;
  let door: Door;
  const shown = ({ found = '' }: ErrorFacts): string => scrub(found, service.secret?.());
  const attempt = async () => {
    const signal = timeLimit(host.signal, timeout);
    door = new Door(service.limit, signal);
    try {
      return { $case: 'done', value: await door.run(work) } as const;
    } catch (error) {
      if (host.signal.aborted || (error instanceof AppError && error.code !== 'host/network')) throw error;
      const late = { facts: { expected: `a whole answer within ${timeout / 1000} s`, found: 'none' }, retry: true };
      const failure = signal.aborted ? late : failureOf(service, door, error, host.clock.now());
      return { $case: 'failed', failure } as const;
    }
  };
  const giveUp = ({ facts }: Failure, tried: number): AppError =>
    new AppError(service.code, 'upstream', service.failed, {
      where: door.last === undefined ? undefined : { file: door.last.url },
      hint: service.hint ?? 'nothing was attached to the image; run it again, what is signed already is kept',
      ...facts,
      found: `${shown(facts)} (${tried === 1 ? '1 attempt' : `${tried} attempts`})`,
    });
  const wait = async ({ facts }: Failure, milliseconds: number): Promise<void> => {
    const where = door.last === undefined ? '' : `${new URL(door.last.url).host}: `;
    host.progress.say(`${where}${shown(facts)}; trying again in ${(milliseconds / 1000).toFixed(1)} s`);
    await host.clock.sleep(milliseconds, host.signal);
  };
  return await withRetry(policyOf(patience), { giveUp, wait }, attempt);
}
