import { exitCodes, type ExitCode } from '../../src/errors/index.ts';
import { layoutDirectory } from '../../src/flows/build/index.ts';
import { gateVariant, summarise } from '../../src/flows/ci/index.ts';
import { createRegistry } from '../../src/registry/index.ts';
import { fromHere, listOption, type Call } from '../command.ts';
import { planFor } from '../plan-option.ts';
import { surroundings } from '../surroundings.ts';
import { toolVersion } from '../version.ts';
import { neededFile, variantOf } from './inputs.ts';

/** step writes down which index passed, and only then. */
export async function step(call: Call): Promise<ExitCode> {
  const { host, root } = call;
  const variant = variantOf(call);
  const file = neededFile(call, 'output');
  const around = await surroundings(call);
  const { record } = await gateVariant(host, {
    root,
    plan: await planFor(call, variant, around),
    layout: layoutDirectory(root, variant),
    records: listOption(call, 'record').map(fromHere),
    registry: createRegistry(host, { mirrors: around.mirrors, plainHttp: around.plainHttp }),
    version: toolVersion(),
  });
  await host.files.write(file, `${JSON.stringify(record, null, 2)}\n`);
  await summarise(host, `**${variant}** passed the gate on every platform: \`${record.digest}\``);
  if (call.json) call.console.json(record);
  else call.console.print(`${variant} passed: ${record.digest}`);
  return exitCodes.clean;
}
