import { exitCodes, renderError, type ExitCode } from '../../src/errors/index.ts';
import { alarmOf, rowsToCells, rowToJson } from '../../src/flows/bump/index.ts';
import { bumpGroup, summarise } from '../../src/flows/ci/index.ts';
import { table } from '../../src/report/index.ts';
import type { Call } from '../command.ts';
import { surroundings } from '../surroundings.ts';
import { neededFile, variantOf } from './inputs.ts';

/** step asks the upstreams of one group; what it found is proposed by another job. Never green when it could not tell. */
export async function step(call: Call): Promise<ExitCode> {
  const { host, root } = call;
  const { mirrors } = await surroundings(call);
  const options = { root, group: variantOf(call), mirrors, output: neededFile(call, 'output') };
  const { record, result, body } = await bumpGroup(host, options);
  await summarise(host, body);
  if (call.json) call.console.json({ ...record, pins: result.rows.map(rowToJson) });
  else call.console.print(table(rowsToCells(result.rows)));
  const alarm = alarmOf(result.rows);
  if (alarm !== undefined) host.story.warn(renderError(alarm));
  const clear = result.rows.every(({ verdict }) => !['alarm', 'unknown', 'gone'].includes(verdict.$case));
  return clear ? exitCodes.clean : exitCodes.upstream;
}
