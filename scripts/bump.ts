import { AppError, errorToJson, exitCodes, renderError, type ExitCode } from '../src/errors/index.ts';
import * as flow from '../src/flows/bump/index.ts';
import { table } from '../src/report/table.ts';
import { images } from './bump/images.ts';
import { examples, flag, stringOption, type Call, type CommandModule } from './command.ts';
import { surroundings } from './surroundings.ts';
import { trustFor } from './trust-for.ts';

/** warn shows what the table has no room for. An error beside a result is a warning, which says so by itself. */
export function warn({ host }: Call, errors: readonly AppError[]): void {
  for (const error of errors)
    host.story.warn(
      renderError(error)
        .replace(/^error: /, '')
        .split('\n'),
    );
}

function print(call: Call, { rows, files, written }: flow.BumpResult): void {
  const alarm = flow.alarmOf(rows);
  if (call.json) {
    const error = alarm === undefined ? undefined : errorToJson(alarm);
    call.console.json({ written, files, pins: rows.map(flow.rowToJson), error });
    return;
  }
  call.console.document(table(flow.rowsToCells(rows)));
  for (const file of files) call.console.print(`${written ? 'wrote' : 'would write'} ${file}`);
}

async function answer(call: Call): Promise<flow.BumpResult> {
  const { host, root, args } = call;
  const to = stringOption(call, 'to');
  const common = {
    root,
    dryRun: flag(call, 'dryRun') || flag(call, 'check'),
    downgrade: flag(call, 'downgrade'),
    now: flag(call, 'now'),
    mirrors: (await surroundings(call)).mirrors,
    trust: trustFor(call).trust,
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
      .option('--refresh [rev]', 'complete what somebody edited in images/pins.yaml since a revision (HEAD)')
      .option('--now', 'take a version younger than its cooldown')
      .option('--downgrade', 'take an older version')
      .option('--pr-body <file>', 'write the reviewer’s changelog as Markdown')
      .option('--old-image <image>', 'with --new-image: bump nothing, but compare two built images')
      .option('--new-image <image>', 'size and packages, added to --pr-body, or printed')
      .option('--trusted-root <file>', 'whom to believe about upstream signatures; the public root, by TUF, otherwise')
      .option('--mirrors <file>', 'YAML with images: and urls:, prefix to prefix; digests stay what they are');
    examples(parser, [
      ['runner-image bump --dry-run', 'what is due, held, gone, or could not be told'],
      ['runner-image bump', 'pins, checksums, locks and Dockerfiles, all of it or nothing'],
      ['runner-image bump gh@2.80.0', 'one pin, one version'],
      ['runner-image bump --refresh origin/main', 'on a branch of Renovate: everything that its edit means'],
      [
        'runner-image bump --old-image quay.io/o/runner:stable --new-image oci:dist/openshell --pr-body body.md',
        'after the build: size and packages, for the reviewer',
      ],
      ['runner-image bump --to 2026-08-01 uv', 'what uv was on that day'],
    ]);
  },
  async run(call): Promise<ExitCode> {
    if (call.options['oldImage'] !== undefined || call.options['newImage'] !== undefined) return images(call);
    const result = await answer(call);
    const { rows } = result;
    const body = stringOption(call, 'prBody');
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
