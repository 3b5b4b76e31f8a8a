import { exitCodes, type ExitCode } from '../../src/errors/index.ts';
import { fileIssue, issueBody, summarise, watchConcerns, watchUpstreams } from '../../src/flows/ci/index.ts';
import { examples, flag, printResult, type Call, type Subcommand } from '../command.ts';
import { mirrorsOption, readMirrors } from '../environment-options.ts';

async function run(call: Call): Promise<ExitCode> {
  const { host, root } = call;
  const own = await watchConcerns(host, root);
  const asked = flag(call, 'offline')
    ? { concerns: [], unknown: [] }
    : await watchUpstreams(host, root, readMirrors(call));
  const concerns = [...own, ...asked.concerns];
  const { unknown } = asked;
  const issue = flag(call, 'dryRun') ? undefined : await fileIssue(host, concerns, unknown);
  const quiet = concerns.length + unknown.length === 0;
  await summarise(host, quiet ? 'nothing needs attention' : issueBody(concerns, unknown));
  const lines = [...concerns, ...unknown].map(({ rule, subject, message }) => `${rule}  ${subject}  ${message}`);
  printResult(call, { concerns, unknown, issue }, lines);
  if (issue?.number !== undefined) host.progress.say(`issue #${issue.number} ${issue.$case}`);
  // Never green when something is unknown.
  if (unknown.length > 0) return exitCodes.upstream;
  // Without an issue, the exit code is the only way to tell.
  return issue === undefined && concerns.length > 0 ? exitCodes.findings : exitCodes.clean;
}

/** watch looks once a day and keeps one issue; it fails when it could not look or got no answer. */
export const watch: Subcommand = {
  summary: 'keep one issue about pins that are gone or changed, and waivers that run out',
  define(command) {
    command.option('--dry-run', 'print what was found, open no issue').option('--offline', 'ask no upstream');
    mirrorsOption(command);
    examples(command, [['runner-image ci watch --dry-run', 'what the daily watch would open an issue about']]);
  },
  run,
};
