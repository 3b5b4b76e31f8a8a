import { shorten } from '../errors/index.ts';

/** Why a bundle does not count. Every attack of docs/verify.md ends in one of these names. */
export type RefusalCode =
  | 'too-large'
  | 'malformed-bundle'
  | 'malformed-statement'
  | 'malformed-predicate'
  | 'not-a-statement'
  | 'unknown-predicate'
  | 'other-subject'
  | 'other-image'
  | 'other-identity'
  | 'other-issuer'
  | 'other-claim'
  | 'other-builder'
  | 'other-build-type'
  | 'certificate'
  | 'timestamp'
  | 'no-timestamp'
  | 'log-entry'
  | 'signature'
  | 'untrusted-key'
  | 'denied'
  | 'other-source'
  | 'not-valid-then'
  | 'gone'
  | 'no-subject'
  | 'wrong-bytes'
  | 'too-deep'
  | 'too-many'
  | 'too-slow'
  | 'unreadable-list';

/** Refused is a bundle that was looked at and does not count. */
export interface Refused {
  readonly $case: 'refused';
  readonly code: RefusalCode;
  readonly detail: string;
}

/** What was found is the words of whoever attached it: UTF-16 units. */
const maxDetail = 300;

/** refuse makes a refusal; `detail` says what was found, cut. It is escaped where it is shown. */
export const refuse = (code: RefusalCode, detail: string): Refused => ({
  $case: 'refused',
  code,
  detail: shorten(detail, maxDetail),
});

const codes: Readonly<Record<string, RefusalCode>> = {
  CERTIFICATE_ERROR: 'certificate',
  TIMESTAMP_ERROR: 'timestamp',
  SIGNATURE_ERROR: 'signature',
  PUBLIC_KEY_ERROR: 'untrusted-key',
};

/**
 * refusalOf names what @sigstore/verify threw. Anything that it did not foresee is a malformed bundle:
 * an error never counts as a pass.
 */
export function refusalOf(error: unknown): Refused {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
  const said = error instanceof Error ? `${error.message}${cause}` : String(error);
  if (code.startsWith('TLOG_')) return refuse('log-entry', said);
  return refuse(codes[code] ?? 'malformed-bundle', said);
}
