import { resolve } from 'node:path';
import { exitCodes } from '../src/errors/index.ts';
import { lintFiles } from '../src/flows/lint.ts';
import {
  countsOf,
  formatAnnotations,
  formatReport,
  parseReportFormat,
  reportFormats,
  summaryOf,
  textKind,
} from '../src/report/index.ts';
import { examples, stringOption, type CommandModule } from './command.ts';
import { toolVersion } from './version.ts';

export const command: CommandModule = {
  define(parser) {
    parser
      .argument('[Dockerfile...]', 'files to lint; default: every Dockerfile below images/')
      .option('--format <format>', reportFormats.join(', '), 'table')
      .option('--output <file>', 'write the report there instead of to stdout');
    examples(parser, [
      ['runner-image lint', 'the project’s own Dockerfiles'],
      ['runner-image lint path/to/Dockerfile', 'any Dockerfile'],
      ['runner-image lint --format sarif --output lint.sarif', 'for GitHub code scanning'],
    ]);
  },
  async run(call) {
    const { host, console, args, json, options } = call;
    const format = json ? 'json' : parseReportFormat(String(options['format']));
    const output = stringOption(call, 'output');
    // Named files may lie anywhere; without any, a project is needed.
    const root = args.length === 0 ? call.root : call.home;
    const report = await lintFiles(host, { files: args, root, directory: process.cwd(), version: toolVersion() });
    const color = output === undefined && process.stdout.isTTY && (host.env['NO_COLOR'] ?? '') === '';
    const text = formatReport(report, format, { color });
    if (output === undefined) console.document(text, textKind(format, color));
    else await host.files.write(resolve(output), `${text}\n`);
    if (output !== undefined) host.story.say(`lint: ${summaryOf(report)}`);
    // Annotations are read from stdout, where a table does not mind them; other formats stay clean.
    if (
      host.env['GITHUB_ACTIONS'] === 'true' &&
      (format === 'table' || output !== undefined) &&
      report.findings.length > 0
    )
      console.document(formatAnnotations(report), 'commands');
    return countsOf(report.findings).errors > 0 ? exitCodes.findings : exitCodes.clean;
  },
};
