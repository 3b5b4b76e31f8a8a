import type { Severity } from '../core/finding.ts';
import { markdownText } from '../errors/index.ts';
import { placeOf, spotOf, summaryOf, type Report } from './report.ts';

/** GitHub refuses a step summary above 1 MiB; what does not fit is counted. */
const maxRows = 500;

const order: readonly Severity[] = ['error', 'warning', 'note'];

/** formatMarkdown returns a step summary: one line, then a table with the worst first. */
export function formatMarkdown(report: Report): string {
  const sorted = [...report.findings].sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
  const lines = [`### runner-image ${markdownText(report.command)}`, '', `**${markdownText(summaryOf(report))}**`];
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
      lines.push(`| ${cells.map(markdownText).join(' | ')} |`);
    }
    if (sorted.length > maxRows) lines.push('', `and ${sorted.length - maxRows} more`);
  }
  if ((report.suppressed?.length ?? 0) > 0) {
    lines.push('', '<details><summary>Ignored by comment</summary>', '');
    for (const { finding, justification } of report.suppressed ?? [])
      lines.push(
        `- ${markdownText(`${placeOf(report, finding)}:${spotOf(finding)} ${finding.rule}: ${justification}`)}`,
      );
    lines.push('', '</details>');
  }
  return lines.join('\n');
}
