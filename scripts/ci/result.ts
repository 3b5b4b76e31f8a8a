import { exitCodes, type ExitCode } from '../../src/errors/index.ts';
import { judgeNeeds, summarise } from '../../src/flows/ci/index.ts';
import type { Call } from '../command.ts';
import type { CiStep } from './step.ts';

async function run(call: Call): Promise<ExitCode> {
  const problems = judgeNeeds(call.host.env['NEEDS'] ?? '');
  const lines = problems.length === 0 ? ['every job that had to run succeeded'] : problems;
  await summarise(call.host, lines.map((line) => `- ${line}`).join('\n'));
  if (call.json) call.console.json({ problems });
  else for (const line of lines) call.console.print(line);
  return problems.length === 0 ? exitCodes.clean : exitCodes.findings;
}

/** result is the one required check: it fails for every job that failed, was cancelled or wrongly skipped. */
export const result: CiStep = { summary: 'judge every job of the run by the plan, from NEEDS', run };
