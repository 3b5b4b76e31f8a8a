import { exitCodes, type ExitCode } from '../../src/errors/index.ts';
import { fileIssue, issueBody, summarise, watchConcerns, watchUpstreams } from '../../src/flows/ci/index.ts';
import { examples, flag, type Call } from '../command.ts';
import { surroundings } from '../surroundings.ts';
import type { CiStep } from './step.ts';

async function run(call: Call): Promise<ExitCode> {
  const { host, root } = call;
  const own = await watchConcerns(host, root);
  const { mirrors } = await surroundings(call);
  const asked = flag(call, 'offline') ? { concerns: [], untold: [] } : await watchUpstreams(host, root, mirrors);
  const concerns = [...own, ...asked.concerns];
  const { untold } = asked;
  const issue = flag(call, 'dryRun') ? undefined : await fileIssue(host, concerns, untold);
  const quiet = concerns.length + untold.length === 0;
  await summarise(host, quiet ? 'nothing needs attention' : issueBody(concerns, untold));
  if (call.json) call.console.json({ concerns, untold, issue });
  else
    for (const { rule, subject, message } of [...concerns, ...untold])
      call.console.print(`${rule}  ${subject}  ${message}`);
  if (issue?.number !== undefined) host.story.say(`issue #${issue.number} ${issue.$case}`);
  // Never green when it could not tell.
  if (untold.length > 0) return exitCodes.upstream;
  // Without an issue, the exit code is the only way to tell.
  return issue === undefined && concerns.length > 0 ? exitCodes.findings : exitCodes.clean;
}

/** watch looks once a day and keeps one issue; it fails when it could not look or got no answer. */
export const watch: CiStep = {
  summary: 'keep one issue about pins that are gone or changed, and waivers that run out',
  define(command) {
    command
      .option('--dry-run', 'print what was found, open no issue')
      .option('--offline', 'ask no upstream')
      .option('--mirrors <file>', 'YAML with images: and urls:, prefix to prefix');
    examples(command, [['runner-image ci watch --dry-run', 'what the daily watch would open an issue about']]);
  },
  run,
};
