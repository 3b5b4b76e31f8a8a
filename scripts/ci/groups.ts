import { exitCodes, type ExitCode } from '../../src/errors/index.ts';
import { bumpGroups, setOutputs } from '../../src/flows/ci/index.ts';
import { loadDefinitions } from '../../src/flows/plan.ts';
import { printResult, type Call, type Subcommand } from '../command.ts';

async function run(call: Call): Promise<ExitCode> {
  const found = bumpGroups(await loadDefinitions(call.host, call.root));
  await setOutputs(call.host, { groups: JSON.stringify([...found.keys()]) });
  const lines = [...found].map(([group, pins]) => `${group}: ${pins.join(', ')}`);
  printResult(call, Object.fromEntries(found), lines);
  return exitCodes.clean;
}

/** groups lists the groups of pins: each is bumped by a job and proposed as one pull request. */
export const groups: Subcommand = { summary: 'set the output groups: the groups of pins to bump', run };
