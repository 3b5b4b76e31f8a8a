import { exitCodes, type ExitCode } from '../../src/errors/index.ts';
import { alarmOf, isAnswered, rowsToCells, rowToJson, unknownsOf } from '../../src/flows/bump/index.ts';
import { bumpGroup, summarise } from '../../src/flows/ci/index.ts';
import { table } from '../../src/report/index.ts';
import { warn } from '../bump.ts';
import type { Call } from '../command.ts';
import { surroundings } from '../surroundings.ts';
import { neededFile, variantOf } from './inputs.ts';

/** step asks the upstreams of one group; what it found is proposed by another job. Never green when it could not tell. */
export async function step(call: Call): Promise<ExitCode> {
  const { host, root } = call;
  const { mirrors } = await surroundings(call);
  const options = { root, group: variantOf(call), mirrors, output: neededFile(call, 'output') };
  const { record, result, body } = await bumpGroup(host, options);
  const { rows } = result;
  await summarise(host, body);
  if (call.json) call.console.json({ ...record, pins: rows.map(rowToJson) });
  else call.console.print(table(rowsToCells(rows)));
  const alarm = alarmOf(rows);
  warn(call, alarm === undefined ? unknownsOf(rows) : [...unknownsOf(rows), alarm]);
  return isAnswered(rows) ? exitCodes.clean : exitCodes.upstream;
}
