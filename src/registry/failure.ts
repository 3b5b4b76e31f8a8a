import { isCertificateProblem, systemCode } from '../core/retry.ts';
import { AppError } from '../errors/index.ts';
import { isRecord, text } from './json.ts';
import type { Secrets } from './redact.ts';

/** Codes of this room's errors, without the `registry/` in front. */
export type FailureCode =
  | 'unauthorized'
  | 'denied'
  | 'not-found'
  | 'rate-limited'
  | 'upstream'
  | 'unreachable'
  | 'slow'
  | 'malformed'
  | 'certificate'
  | 'refused'
  | 'range'
  | 'redirect';

/** One attempt that did not work, and whether another could. */
export interface Failure {
  readonly code: FailureCode;
  readonly status?: number | undefined;
  /** What the other side said, scrubbed. */
  readonly said: string;
  readonly retry: boolean;
  /** Milliseconds that the server asked us to wait. */
  readonly wait?: number | undefined;
  readonly cause?: unknown;
}

/** RegistryError is an AppError that also carries the HTTP status, for callers that branch on it. */
export class RegistryError extends AppError {
  readonly status: number | undefined;
  /** Milliseconds that the server asked to wait. */
  readonly wait: number | undefined;

  constructor(failure: Failure, doing: string, where: string, attempts: number) {
    const tries = attempts === 1 ? '1 attempt' : `${attempts} attempts`;
    super(`registry/${failure.code}`, 'upstream', `could not ${doing}`, {
      expected: `${where} to answer the request`,
      found: `${failure.said} (${tries})`,
      hint: hintFor(failure, where),
      cause: failure.cause,
    });
    this.status = failure.status;
    this.wait = failure.wait;
  }
}

function hintFor(failure: Failure, where: string): string {
  const registry = where.split('/')[0] ?? where;
  switch (failure.code) {
    case 'unauthorized':
      return `log in with \`docker login ${registry}\` or \`podman login ${registry}\` (a Quay robot logs in as org+robot with its token), then run it again`;
    case 'denied':
      return `the account that is logged in to ${registry} lacks the right: give it write (or read) access to ${where}`;
    case 'not-found':
      return 'check the spelling; a registry also answers so for a private repository without a login';
    case 'rate-limited':
      return `wait, or log in to ${registry}: most registries allow more to those who are known`;
    case 'upstream':
      return `${registry} has a problem of its own: look at its status page and run it again`;
    case 'unreachable':
      return `check that this machine reaches ${registry} (network, proxy, DNS)`;
    case 'slow':
      return `${registry} answers too slowly: run it again, and look at its status page`;
    case 'malformed':
      return `${registry}, or a proxy before it, sends no valid HTTP: run it again; when it stays so, report it to its operator`;
    case 'certificate':
      return `${registry} shows a certificate that this machine does not trust: set NODE_EXTRA_CA_CERTS to the CA's PEM file`;
    case 'refused':
      return `${registry} does not take this request; its own words are above`;
    case 'range':
      return 'run it again: the upload starts anew';
    case 'redirect':
      return `something between this machine and ${registry} (a proxy, a login page) answers instead of it`;
  }
}

/** readErrors returns `CODE: message` of the errors in a body (distribution spec, "Error Codes"). */
export function readErrors(body: string, secrets: Secrets): string {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    const title = /<title>([^<]{1,120})/i.exec(body)?.[1];
    if (/^\s*</.test(body))
      return `an HTML page${title === undefined ? '' : ` titled ${JSON.stringify(title.trim())}`}`;
    return secrets.scrub(body, 200);
  }
  const list = isRecord(value) && Array.isArray(value['errors']) ? (value['errors'] as unknown[]) : [];
  const parts = list.filter(isRecord).map((error) => {
    const detail = isRecord(error['detail']) || Array.isArray(error['detail']) ? undefined : text(error['detail']);
    return [text(error['code']), text(error['message']), detail].filter((part) => part !== undefined).join(': ');
  });
  if (parts.length > 0) return secrets.scrub(parts.join('; '));
  const details = isRecord(value)
    ? (text(value['details']) ?? text(value['message']) ?? text(value['error']))
    : undefined;
  return secrets.scrub(details ?? '');
}

/** codeOf names what a status means for the user. */
export function codeOf(status: number): FailureCode {
  if (status === 401) return 'unauthorized';
  if (status === 403) return 'denied';
  if (status === 404) return 'not-found';
  if (status === 429) return 'rate-limited';
  if (status === 416) return 'range';
  if (status >= 500 || status === 408 || status === 425) return 'upstream';
  return status >= 300 && status < 400 ? 'redirect' : 'refused';
}

/** innerError finds an error of ours (a source that could not be read) behind what the HTTP client made of it. */
export function innerError(error: unknown): AppError | undefined {
  for (let at = error instanceof Error ? error.cause : undefined; at instanceof Error; at = at.cause)
    if (at instanceof AppError && at.code !== 'host/network') return at;
  return undefined;
}

/**
 * networkFailure judges an error that came out of the connection; undefined for any other error
 * (a bug, an AppError of ours), which must go on as it is.
 */
export function networkFailure(error: unknown, secrets: Secrets): Failure | undefined {
  if (error instanceof AppError && error.code !== 'host/network') return undefined;
  const code = systemCode(error);
  if (code === undefined && !(error instanceof AppError)) return undefined;
  const message = error instanceof Error ? secrets.scrub(error.message) : '';
  const said = message.includes(code ?? '') ? message : `${message} (${code ?? ''})`;
  // The error's own properties may hold headers, so only its scrubbed words go on.
  const cause = new Error(said === ' ()' ? 'unknown network error' : said);
  if (isCertificateProblem(code)) return { code: 'certificate', said, retry: false, cause };
  // llhttp's codes, as Node reports them: an answer came, and could not be read.
  if (code?.startsWith('HPE_') === true) return { code: 'malformed', said: 'no valid HTTP came', retry: true, cause };
  if (code === 'ETOOSLOW' || code === 'ETOOLONG')
    return { code: 'slow', said: 'the answer is too slow', retry: true, cause };
  if (broken.has(code ?? '')) return { code: 'unreachable', said: 'the connection broke', retry: true, cause };
  return { code: 'unreachable', said: 'no answer', retry: code !== 'ENOTFOUND', cause };
}

const broken = new Set(['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE']);
