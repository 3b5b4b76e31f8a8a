import type { Finding, Location, Severity } from '../core/index.ts';

/** finding builds one Finding of this room; its location is a whole file, since pins have one entry each. */
export function finding(
  rule: string,
  severity: Severity,
  subject: string,
  message: string,
  remediation: string,
  at: { readonly file: string; readonly line?: number | undefined },
): Finding {
  const location: Location = { $case: 'file', file: at.file, line: at.line ?? 1, column: 1 };
  return { rule: `pins/${rule}`, severity, subject, message, remediation, location };
}
