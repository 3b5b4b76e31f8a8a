import type { Command } from 'commander';
import { summarise } from '../src/flows/ci/runner-files.ts';
import {
  countsOf,
  formatAnnotations,
  formatReport,
  parseReportFormat,
  reportFormats,
  textKind,
  type Report,
  type ReportFormat,
} from '../src/report/index.ts';
import { exitCodes, type ExitCode } from '../src/errors/index.ts';
import { pathOption, type Call } from './command.ts';

/** reportOptions adds how the findings of a command are shown. */
export function reportOptions(command: Command): void {
  command
    .option('--format <name>', reportFormats.join(', '), 'table')
    .option('--output <file>', 'write the report there, and the table to stdout');
}

/** reportFormat reads `--format`, or `--json`. Throws for an unknown one: call it before the work, not after. */
export function reportFormat(call: Call): ReportFormat {
  return parseReportFormat(call.json ? 'json' : String(call.options['format']));
}

/** showReport prints the findings, or writes them to `--output`; on GitHub they are annotations and a summary, too. */
export async function showReport(call: Call, report: Report, format: ReportFormat): Promise<ExitCode> {
  const { host, console } = call;
  const output = pathOption(call, 'output');
  if (output !== undefined) await host.files.write(output, `${formatReport(report, format)}\n`);
  const shown = output === undefined ? format : 'table';
  const color = process.stdout.isTTY && (host.env['NO_COLOR'] ?? '') === '';
  console.document(formatReport(report, shown, { color }), textKind(shown, color));
  await summarise(host, formatReport(report, 'markdown'));
  // GitHub reads annotations from stdout, where a table does not mind them; other formats stay as they are.
  if (host.env['GITHUB_ACTIONS'] === 'true' && shown === 'table' && report.findings.length > 0)
    console.document(formatAnnotations(report), 'commands');
  return countsOf(report.findings).errors > 0 ? exitCodes.findings : exitCodes.clean;
}
