import type { Finding, Location, RuleInfo } from '../core/finding.ts';
import { shorten } from '../errors/index.ts';

/** Suppressed is a finding that a comment in the file itself silenced, with the reason given there. */
export interface Suppressed {
  readonly finding: Finding;
  readonly justification: string;
}

/** Report is what every format is made from. */
export interface Report {
  /** The command, e.g. `lint` or `check`: names the run in SARIF and JUnit. */
  readonly command: string;
  readonly version: string;
  /** Every rule that was applied, also those that found nothing. */
  readonly rules: readonly RuleInfo[];
  readonly findings: readonly Finding[];
  readonly suppressed?: readonly Suppressed[] | undefined;
  /** What was looked at: files, or image references. */
  readonly subjects: readonly string[];
  /**
   * Where findings about an image point, as a relative URI that stays the same between runs, e.g.
   * `images/openshell/Dockerfile.openshell`. Needed for findings without a file.
   */
  readonly artifact?: string | undefined;
}

export interface Counts {
  readonly errors: number;
  readonly warnings: number;
  readonly notes: number;
}

/** countsOf returns how many findings there are of each severity. */
export function countsOf(findings: readonly Finding[]): Counts {
  const count = (severity: Finding['severity']): number => findings.filter((one) => one.severity === severity).length;
  return { errors: count('error'), warnings: count('warning'), notes: count('note') };
}

/** UTF-16 units: of a message, and of a name or path in it. */
const maxMessage = 4_000;
const maxName = 1_000;

function boundedLocation(location: Location): Location {
  switch (location.$case) {
    case 'file':
      return { ...location, file: shorten(location.file, maxName) };
    case 'path':
      return { ...location, path: shorten(location.path, maxName) };
    case 'config':
      return { ...location, key: shorten(location.key, maxName) };
    case 'image':
      return location;
  }
}

/** bounded returns the report with its texts cut: a path in a layer or a label may have any length. */
export function bounded(report: Report): Report {
  const cut = (finding: Finding): Finding => ({
    ...finding,
    message: shorten(finding.message, maxMessage),
    subject: shorten(finding.subject, maxName),
    remediation: shorten(finding.remediation, maxMessage),
    location: boundedLocation(finding.location),
    platform: finding.platform === undefined ? undefined : shorten(finding.platform, maxName),
  });
  return {
    ...report,
    findings: report.findings.map(cut),
    suppressed: report.suppressed?.map(({ finding, justification }) => ({
      finding: cut(finding),
      justification: shorten(justification, maxMessage),
    })),
  };
}

/** placeOf returns the subject that the finding belongs to: its file, or what the report is about. */
export function placeOf(report: Report, { location }: Finding): string {
  if (location.$case === 'file') return location.file;
  return report.subjects[0] ?? report.artifact ?? 'image';
}

/** spotOf says where in the subject: `12:5`, a path with its layer, a config key. */
export function spotOf({ location, platform }: Finding): string {
  const on = platform === undefined ? '' : ` (${platform})`;
  switch (location.$case) {
    case 'file':
      return `${location.line}:${location.column}`;
    case 'path':
      return `${location.path}${location.layer === undefined ? '' : ` in layer ${location.layer.index}`}${on}`;
    case 'config':
      return `config ${location.key}${location.layer === undefined ? '' : ` from layer ${location.layer.index}`}${on}`;
    case 'image':
      return `image${on}`;
  }
}

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** summaryOf returns the one line that ends every report. */
export function summaryOf(report: Report): string {
  const { errors, warnings, notes } = countsOf(report.findings);
  const parts = [
    errors > 0 ? plural(errors, 'error') : '',
    warnings > 0 ? plural(warnings, 'warning') : '',
    notes > 0 ? plural(notes, 'note') : '',
  ].filter((part) => part !== '');
  const found = parts.length === 0 ? 'no findings' : parts.join(', ');
  const silenced = report.suppressed?.length ?? 0;
  const ignored = silenced === 0 ? '' : `, ${silenced} ignored by comment`;
  const subjects = report.subjects.length === 1 ? (report.subjects[0] ?? '') : `${report.subjects.length} subjects`;
  return `${found}${ignored} in ${subjects} (${plural(report.rules.length, 'rule')})`;
}
