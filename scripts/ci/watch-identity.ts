import { parseImageRef } from '../../src/core/index.ts';
import { AppError, exitCodes, type ExitCode } from '../../src/errors/index.ts';
import * as flow from '../../src/flows/ci/index.ts';
import { loadDefinitions } from '../../src/flows/plan.ts';
import { readPolicy } from '../../src/flows/trust/read-policy.ts';
import type { Repository } from '../../src/registry/index.ts';
import { publicServices } from '../../src/sigstore/index.ts';
import {
  examples,
  fileOption,
  flag,
  listOption,
  printResult,
  stringOption,
  type Call,
  type Subcommand,
} from '../command.ts';
import { registryOf, registryOptions } from '../registry.ts';

async function repositoriesOf(call: Call): Promise<Repository[]> {
  const given = listOption(call, 'published');
  if (given.length > 0) return given.map((text) => parseImageRef(text));
  const { images } = await loadDefinitions(call.host, call.root);
  return images.flatMap(({ variants }) => variants.map(({ repository }) => parseImageRef(repository)));
}

function sinceOf(call: Call): Date | undefined {
  const text = stringOption(call, 'since');
  if (text === undefined) return undefined;
  const since = new Date(text);
  if (/^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(since.getTime())) return since;
  throw new AppError('cli/usage', 'usage', '--since is no day', { expected: 'YYYY-MM-DD', found: text.slice(0, 40) });
}

async function run(call: Call): Promise<ExitCode> {
  const { host } = call;
  const seen = await flow.watchIdentity(host, {
    registry: registryOf(call),
    policy: await readPolicy(host, fileOption(call, 'policy')),
    repositories: await repositoriesOf(call),
    rekor: (stringOption(call, 'rekor') ?? publicServices.rekor ?? '').replace(/\/+$/, ''),
    since: sinceOf(call),
  });
  const { concerns, unknown, found, published } = seen;
  // A run that could not tell knows nothing that belongs into the issue, and takes nothing out of it.
  const silent = flag(call, 'dryRun') || unknown.length > 0;
  const issue = silent ? undefined : await flow.fileIssue(host, concerns, [], flow.identityIssue);
  const quiet = concerns.length + unknown.length === 0;
  const line = `${found} log entries under our identity, ${published} of them published; ${flow.unwatched}`;
  await flow.summarise(host, quiet ? line : flow.issueBody(concerns, unknown, flow.identityIssue));
  const lines = [...concerns, ...unknown].map(({ rule, subject, message }) => `${rule}  ${subject}  ${message}`);
  printResult(call, { ...seen, unwatched: flow.unwatched, issue }, [...lines, line]);
  if (issue?.number !== undefined) host.progress.say(`issue #${issue.number} ${issue.$case}`);
  // Never green when it could not tell.
  if (unknown.length > 0) return exitCodes.upstream;
  // Without an issue, the exit code is the only way to say so.
  return issue === undefined && concerns.length > 0 ? exitCodes.findings : exitCodes.clean;
}

/** watchIdentity looks once a day at what Rekor v1 holds in our name, and keeps one issue. */
export const watchIdentity: Subcommand = {
  summary: 'keep one issue about signatures in the log under our identity that are not ours',
  define(command) {
    command
      .requiredOption('--policy <file>', 'YAML policy whose identities are watched (docs/verify.md)')
      .option('--published <list>', 'repositories of what we publish; those of every variant otherwise')
      .option('--rekor <url>', 'a Rekor (v1) of your own; the public one otherwise')
      .option('--since <day>', 'do not report entries before it, YYYY-MM-DD')
      .option('--dry-run', 'print what was found, open no issue');
    registryOptions(command);
    examples(command, [
      ['runner-image ci watch-identity --policy policy.yaml --dry-run', 'what the log holds in our name'],
    ]);
  },
  run,
};
