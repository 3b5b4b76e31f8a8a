import { exitCodes, type ExitCode } from '../../src/errors/index.ts';
import { alarmOf, changelog, isAnswered, rowsToCells, rowToJson, unknownsOf } from '../../src/flows/bump/index.ts';
import { bumpGroup, summarise } from '../../src/flows/ci/index.ts';
import { table } from '../../src/report/index.ts';
import { warn } from '../bump.ts';
import { examples, fileOption, printResult, type Call, type Subcommand } from '../command.ts';
import { mirrorsOption, readMirrors } from '../environment-options.ts';

async function run(call: Call): Promise<ExitCode> {
  const { host, root } = call;
  const options = { root, group: call.args[0] ?? '', mirrors: readMirrors(call), output: fileOption(call, 'output') };
  const { record, result } = await bumpGroup(host, options);
  const { rows } = result;
  await summarise(host, changelog(result));
  const value = { group: record.group, base: record.base, pins: rows.map(rowToJson) };
  printResult(call, value, table(rowsToCells(rows)));
  const alarm = alarmOf(rows);
  warn(call, alarm === undefined ? unknownsOf(rows) : [...unknownsOf(rows), alarm]);
  return isAnswered(rows) ? exitCodes.clean : exitCodes.upstream;
}

/** bump asks the upstreams of one group; another job proposes what it found. Never green when one gave no answer. */
export const bump: Subcommand = {
  summary: 'ask the upstreams about one group of pins and write down the facts, without a right to write',
  define(command) {
    command
      .argument('<group>', 'a group that `ci groups` lists')
      .requiredOption('--output <folder>', 'where bump.json, what the upstreams said, is written');
    mirrorsOption(command);
    examples(command, [['runner-image ci bump tools --output bump', 'what `ci propose` takes']]);
  },
  run,
};
