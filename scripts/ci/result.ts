import { exitCodes, type ExitCode } from '../../src/errors/index.ts';
import { judgeNeeds, summarise } from '../../src/flows/ci/index.ts';
import { printResult, type Call, type Subcommand } from '../command.ts';

async function run(call: Call): Promise<ExitCode> {
  const problems = judgeNeeds(call.host.env['NEEDS'] ?? '');
  const lines = problems.length === 0 ? ['every job that had to run succeeded'] : problems;
  await summarise(call.host, lines.map((line) => `- ${line}`).join('\n'));
  printResult(call, { problems }, lines);
  return problems.length === 0 ? exitCodes.clean : exitCodes.findings;
}

/** result is the one required check: it fails for every job that failed, was cancelled or wrongly skipped. */
export const result: Subcommand = { summary: 'judge every job of the run by the plan, from NEEDS', run };
