import { exitCodes, type ExitCode } from '../../src/errors/index.ts';
import { bumpGroups, setOutputs } from '../../src/flows/ci/index.ts';
import { loadDefinitions } from '../../src/flows/plan.ts';
import type { Call } from '../command.ts';
import type { CiStep } from './step.ts';

async function run(call: Call): Promise<ExitCode> {
  const found = bumpGroups(await loadDefinitions(call.host, call.root));
  await setOutputs(call.host, { groups: JSON.stringify([...found.keys()]) });
  if (call.json) call.console.json(Object.fromEntries(found));
  else for (const [group, pins] of found) call.console.print(`${group}: ${pins.join(', ')}`);
  return exitCodes.clean;
}

/** groups lists the groups of pins: each is bumped by a job and proposed as one pull request. */
export const groups: CiStep = { summary: 'set the output groups: the groups of pins to bump', run };
