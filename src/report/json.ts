import { countsOf, type Report } from './report.ts';

/** toJson returns the report as one object: findings as they are, rules left out (`--format sarif` has them). */
export function toJson(report: Report): unknown {
  const { command, version, subjects, findings, suppressed = [] } = report;
  return {
    command,
    version,
    subjects,
    counts: { ...countsOf(findings), suppressed: suppressed.length },
    findings,
    suppressed,
  };
}

/** formatJson returns the report as indented JSON. */
export function formatJson(report: Report): string {
  return JSON.stringify(toJson(report), null, 2);
}
