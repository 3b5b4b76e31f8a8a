import { exitCodes, renderError, type AppError, type ExitCode } from '../../src/errors/index.ts';
import { alarmOf, rowsToCells, rowToJson } from '../../src/flows/bump/index.ts';
import { bumpGroup, summarise } from '../../src/flows/ci/index.ts';
import { table } from '../../src/report/index.ts';
import type { Call } from '../command.ts';
import { surroundings } from '../surroundings.ts';
import { neededFile, variantOf } from './inputs.ts';

/** An error beside a result is a warning, which says so by itself. */
const told = (error: AppError): string => renderError(error).replace(/^error: /, '');

/** step asks the upstreams of one group; what it found is proposed by another job. Never green when it could not tell. */
export async function step(call: Call): Promise<ExitCode> {
  const { host, root } = call;
  const { mirrors } = await surroundings(call);
  const options = { root, group: variantOf(call), mirrors, output: neededFile(call, 'output') };
  const { record, result, body } = await bumpGroup(host, options);
  await summarise(host, body);
  if (call.json) call.console.json({ ...record, pins: result.rows.map(rowToJson) });
  else call.console.print(table(rowsToCells(result.rows)));
  for (const { verdict } of result.rows) if (verdict.$case === 'unknown') host.story.warn(told(verdict.error));
  const alarm = alarmOf(result.rows);
  if (alarm !== undefined) host.story.warn(told(alarm));
  const clear = result.rows.every(({ verdict }) => !['alarm', 'unknown', 'gone'].includes(verdict.$case));
  return clear ? exitCodes.clean : exitCodes.upstream;
}
