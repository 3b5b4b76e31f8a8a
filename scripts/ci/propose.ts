import { exitCodes, type ExitCode } from '../../src/errors/index.ts';
import { propose, summarise } from '../../src/flows/ci/index.ts';
import { stringOption, type Call } from '../command.ts';
import { neededFile } from './inputs.ts';

/** step opens, updates or closes the one pull request of a group. */
export async function step(call: Call): Promise<ExitCode> {
  const { host, root } = call;
  const base = stringOption(call, 'base') ?? 'main';
  const done = await propose(host, { root, from: neededFile(call, 'from'), base });
  const line =
    'number' in done
      ? `pull request #${done.number} ${done.$case}`
      : done.$case === 'nothing'
        ? 'nothing to propose'
        : `the branch is ${done.author}'s now, and left alone`;
  await summarise(host, line);
  if (call.json) call.console.json(done);
  else call.console.print(line);
  return exitCodes.clean;
}
