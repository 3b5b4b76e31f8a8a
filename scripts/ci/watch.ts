import { exitCodes, type ExitCode } from '../../src/errors/index.ts';
import { fileIssue, issueBody, summarise, watchConcerns } from '../../src/flows/ci/index.ts';
import { flag, type Call } from '../command.ts';

/** step looks once a day and keeps one issue; it fails only when it could not look or could not tell. */
export async function step(call: Call): Promise<ExitCode> {
  const { host, root } = call;
  const concerns = await watchConcerns(host, root);
  const issue = flag(call, 'dryRun') ? undefined : await fileIssue(host, concerns);
  await summarise(host, concerns.length === 0 ? 'nothing needs attention' : issueBody(concerns));
  if (call.json) call.console.json({ concerns, issue });
  else for (const { rule, subject, message } of concerns) call.console.print(`${rule}  ${subject}  ${message}`);
  if (issue?.number !== undefined) host.story.say(`issue #${issue.number} ${issue.$case}`);
  // Without an issue, the exit code is the only way to tell.
  return issue === undefined && concerns.length > 0 ? exitCodes.findings : exitCodes.clean;
}
