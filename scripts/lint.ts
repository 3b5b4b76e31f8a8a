import { lintFiles } from '../src/flows/lint.ts';
import { examples, type CommandModule } from './command.ts';
import { reportFormat, reportOptions, showReport } from './report-options.ts';
import { toolVersion } from './version.ts';

export const command: CommandModule = {
  define(parser) {
    parser.argument('[Dockerfile...]', 'files to lint; default: every Dockerfile below images/');
    reportOptions(parser);
    examples(parser, [
      ['runner-image lint', 'the project’s own Dockerfiles'],
      ['runner-image lint path/to/Dockerfile', 'any Dockerfile'],
      ['runner-image lint --format sarif --output lint.sarif', 'for GitHub code scanning'],
    ]);
  },
  async run(call) {
    const format = reportFormat(call);
    // Named files may lie anywhere; without any, a project is needed.
    const root = call.args.length === 0 ? call.root : call.home;
    const version = toolVersion();
    const report = await lintFiles(call.host, { files: call.args, root, directory: process.cwd(), version });
    return await showReport(call, report, format);
  },
};
