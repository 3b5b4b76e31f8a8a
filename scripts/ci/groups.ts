import { exitCodes, type ExitCode } from '../../src/errors/index.ts';
import { bumpGroups, setOutputs } from '../../src/flows/ci/index.ts';
import { loadDefinitions } from '../../src/flows/plan.ts';
import type { Call } from '../command.ts';

/** step lists the groups of pins: each is bumped by a job and proposed as one pull request. */
export async function step(call: Call): Promise<ExitCode> {
  const groups = bumpGroups(await loadDefinitions(call.host, call.root));
  await setOutputs(call.host, { groups: JSON.stringify([...groups.keys()]) });
  if (call.json) call.console.json(Object.fromEntries(groups));
  else for (const [group, pins] of groups) call.console.print(`${group}: ${pins.join(', ')}`);
  return exitCodes.clean;
}
