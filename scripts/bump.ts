import { AppError, errorToJson, exitCodes, renderError, type ExitCode } from '../src/errors/index.ts';
import * as flow from '../src/flows/bump/index.ts';
import { table } from '../src/report/table.ts';
import { examples, flag, pathOption, printResult, stringOption, type Call, type CommandModule } from './command.ts';
import { mirrorsOption, readMirrors } from './environment-options.ts';

/** warn shows what the table has no room for. An error beside a result is a warning, which says so by itself. */
export function warn({ host }: Call, errors: readonly AppError[]): void {
  for (const error of errors)
    host.progress.warn(
      renderError(error)
        .replace(/^error: /, '')
        .split('\n'),
    );
}

function print(call: Call, { rows, files, written }: flow.BumpResult): void {
  const alarm = flow.alarmOf(rows);
  const error = alarm === undefined ? undefined : errorToJson(alarm);
  const lines = files.map((file) => `${written ? 'wrote' : 'would write'} ${file}`);
  const text = [table(flow.rowsToCells(rows)), ...lines].join('\n');
  printResult(call, { written, files, pins: rows.map(flow.rowToJson), error }, text);
}

async function answer(call: Call): Promise<flow.BumpResult> {
  const { host, root, args } = call;
  const to = stringOption(call, 'to');
  const common = {
    root,
    dryRun: flag(call, 'dryRun') || flag(call, 'check'),
    downgrade: flag(call, 'downgrade'),
    now: flag(call, 'now'),
    mirrors: readMirrors(call),
    trustedRoot: pathOption(call, 'trustedRoot'),
  };
  const since = flag(call, 'refresh') ? 'HEAD' : stringOption(call, 'refresh');
  if (since === undefined) return flow.bump(host, { ...common, targets: args, to });
  if (args.length === 0 && to === undefined) return flow.refresh(host, { ...common, since });
  throw new AppError('cli/usage', 'usage', '--refresh takes no pins, and no --to: it takes what was edited', {
    hint: 'runner-image bump --help',
  });
}

export const command: CommandModule = {
  define(parser) {
    parser
      .argument('[pins...]', 'pins, or pin@version; every pin when none is named')
      .option('--dry-run', 'resolve and verify, show what would change, write nothing')
      .option('--check', 'like --dry-run, and exit with 1 when something is due')
      .option('--to <rev|date>', "restore the named pins' facts from git history, verified anew")
      .option('--refresh [rev]', 'complete an edit of images/pins.yaml since a revision (HEAD)')
      .option('--now', 'take a version younger than its cooldown')
      .option('--downgrade', 'take an older version')
      .option('--pr-body <file>', 'write the reviewer’s changelog as Markdown')
      .option('--trusted-root <file>', 'trusted_root.json for upstream signatures; the public root, by TUF, otherwise');
    mirrorsOption(parser);
    examples(parser, [
      ['runner-image bump --dry-run', 'what is due, held, gone, or unknown'],
      ['runner-image bump', 'pins, checksums, locks and Dockerfiles, all of it or nothing'],
      ['runner-image bump gh@2.80.0', 'one pin, one version'],
      ['runner-image bump --refresh origin/main', 'on a branch of Renovate: everything that its edit means'],
      ['runner-image bump --to 2026-08-01 uv', 'what uv was on that day'],
    ]);
  },
  async run(call): Promise<ExitCode> {
    const result = await answer(call);
    const { rows } = result;
    const body = pathOption(call, 'prBody');
    if (body !== undefined) await call.host.files.write(body, flow.changelog(result));
    print(call, result);
    warn(call, flow.unknownsOf(rows));
    const alarm = flow.alarmOf(rows);
    if (alarm !== undefined && !call.json) throw alarm;
    if (alarm !== undefined) warn(call, [alarm]);
    // A question without an answer must not look like "nothing to do".
    if (!flow.isAnswered(rows)) return exitCodes.upstream;
    return flag(call, 'check') && flow.isDue(rows) ? exitCodes.findings : exitCodes.clean;
  },
};
