import { AppError, visibleText, type TextKind } from '../errors/index.ts';
import { formatAnnotations } from './github.ts';
import { formatJson } from './json.ts';
import { formatJunit } from './junit.ts';
import { formatMarkdown } from './markdown.ts';
import { bounded, type Report } from './report.ts';
import { formatSarif } from './sarif.ts';
import { formatTerminal, type TerminalOptions } from './terminal.ts';

export const reportFormats = ['table', 'json', 'sarif', 'junit', 'markdown', 'github'] as const;
export type ReportFormat = (typeof reportFormats)[number];

const formatters: Readonly<Record<ReportFormat, (report: Report, options: TerminalOptions) => string>> = {
  table: formatTerminal,
  json: formatJson,
  sarif: formatSarif,
  junit: formatJunit,
  markdown: formatMarkdown,
  github: formatAnnotations,
};

/** parseReportFormat throws `report/format` for a format that does not exist. */
export function parseReportFormat(text: string): ReportFormat {
  const format = reportFormats.find((one) => one === text);
  if (format !== undefined) return format;
  throw new AppError('report/format', 'usage', 'unknown format', {
    expected: reportFormats.join(', '),
    found: JSON.stringify(text.slice(0, 40)),
  });
}

/**
 * formatReport returns the text without a final newline. Findings quote files and images: a format escapes what its own
 * syntax needs, and whatever it leaves is escaped here, since the text may go into a file as well.
 */
export function formatReport(report: Report, format: ReportFormat, options: TerminalOptions = {}): string {
  const text = formatters[format](bounded(report), options);
  return visibleText(text, textKind(format, options.color));
}

/** textKind is how a formatted report goes to stdout. */
export function textKind(format: ReportFormat, color = false): TextKind {
  if (format === 'github') return 'commands';
  return format === 'table' && color ? 'painted' : 'plain';
}
