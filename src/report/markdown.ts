import type { Severity } from '../core/finding.ts';
import { placeOf, spotOf, summaryOf, type Report } from './report.ts';
import { printable } from './table.ts';

/** GitHub refuses a step summary above 1 MiB; what does not fit is counted. */
const maxRows = 500;

/** escapeCell keeps text from outside from becoming markup: table bars, links, HTML, mentions. */
export function escapeCell(text: string): string {
  return printable(text)
    .replace(/[\\`*_{}[\]()#+!|~]/g, '\\$&')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/@/g, '&#64;');
}

const order: readonly Severity[] = ['error', 'warning', 'note'];

/** formatMarkdown returns a step summary: one line, then a table with the worst first. */
export function formatMarkdown(report: Report): string {
  const sorted = [...report.findings].sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
  const lines = [`### runner-image ${escapeCell(report.command)}`, '', `**${escapeCell(summaryOf(report))}**`];
  if (sorted.length > 0) {
    lines.push('', '| | Where | What | Rule | Remedy |', '|---|---|---|---|---|');
    for (const finding of sorted.slice(0, maxRows)) {
      const separator = finding.location.$case === 'file' ? ':' : ' ';
      const cells = [
        finding.severity,
        `${placeOf(report, finding)}${separator}${spotOf(finding)}`,
        finding.message,
        finding.rule,
        finding.remediation,
      ];
      lines.push(`| ${cells.map(escapeCell).join(' | ')} |`);
    }
    if (sorted.length > maxRows) lines.push('', `and ${sorted.length - maxRows} more`);
  }
  if ((report.suppressed?.length ?? 0) > 0) {
    lines.push('', '<details><summary>Ignored by comment</summary>', '');
    for (const { finding, justification } of report.suppressed ?? [])
      lines.push(`- ${escapeCell(`${placeOf(report, finding)}:${spotOf(finding)} ${finding.rule}: ${justification}`)}`);
    lines.push('', '</details>');
  }
  return lines.join('\n');
}
