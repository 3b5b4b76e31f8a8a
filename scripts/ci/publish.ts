import { exitCodes, type ExitCode } from '../../src/errors/index.ts';
import { layoutDirectory } from '../../src/flows/build/index.ts';
import { publishGated, summarise } from '../../src/flows/ci/index.ts';
import { createRegistry } from '../../src/registry/index.ts';
import type { Call } from '../command.ts';
import { planFor } from '../plan-option.ts';
import { surroundings } from '../surroundings.ts';
import { neededFile, variantOf } from './inputs.ts';

/** step pushes by digest what passed the gate; no tag moves here. */
export async function step(call: Call): Promise<ExitCode> {
  const { host, root } = call;
  const variant = variantOf(call);
  const gate = neededFile(call, 'gate');
  const published = await publishGated(host, {
    plan: await planFor(call, variant, await surroundings(call)),
    layout: layoutDirectory(root, variant),
    gate,
    registry: createRegistry(host),
  });
  await summarise(host, `pushed \`${published.reference}\``);
  if (call.json) call.console.json(published);
  else call.console.print(`pushed ${published.reference}`);
  return exitCodes.clean;
}
