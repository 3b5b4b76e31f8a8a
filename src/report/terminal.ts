import type { Finding, Severity } from '../core/finding.ts';
import { visible } from '../errors/index.ts';
import { placeOf, spotOf, summaryOf, type Report } from './report.ts';

export interface TerminalOptions {
  /** ANSI colours; the caller knows whether stdout is a terminal and NO_COLOR is unset. */
  readonly color?: boolean | undefined;
}

const codes: Readonly<Record<Severity | 'dim' | 'bold', string>> = {
  error: '31',
  warning: '33',
  note: '36',
  dim: '2',
  bold: '1',
};
const order: readonly Severity[] = ['error', 'warning', 'note'];

/** formatTerminal groups by subject, the worst first within each, and ends with one line that counts. */
export function formatTerminal(report: Report, { color = false }: TerminalOptions = {}): string {
  const paint = (code: keyof typeof codes, text: string): string =>
    color ? `\u001b[${codes[code]}m${text}\u001b[0m` : text;
  const groups = new Map<string, Finding[]>();
  for (const finding of report.findings) {
    const place = placeOf(report, finding);
    groups.set(place, [...(groups.get(place) ?? []), finding]);
  }
  const lines: string[] = [];
  for (const [place, findings] of groups) {
    const sorted = [...findings].sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
    const spots = sorted.map((finding) => visible(spotOf(finding)));
    const wide = Math.min(40, Math.max(...spots.map((spot) => spot.length)));
    lines.push(paint('bold', visible(place)));
    for (const [i, finding] of sorted.entries()) {
      const { severity, rule, section, message, waived } = finding;
      const head = `  ${paint(severity, severity.padEnd(7))}  ${(spots[i] ?? '').padEnd(wide)}  ${visible(message)}`;
      const tail = `${rule}${section === undefined ? '' : ` §${section}`}`;
      lines.push(head, `${' '.repeat(11)}${paint('dim', `${tail}: ${visible(finding.remediation)}`)}`);
      if (waived !== undefined)
        lines.push(
          `${' '.repeat(11)}${paint('dim', visible(`waived until ${waived.expires} by ${waived.owner}: ${waived.reason}`))}`,
        );
    }
    lines.push('');
  }
  const worst = order.find((severity) => report.findings.some((finding) => finding.severity === severity));
  lines.push(worst === undefined ? summaryOf(report) : paint(worst, summaryOf(report)));
  return lines.join('\n');
}
