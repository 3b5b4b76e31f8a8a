import { exitCodes, type ExitCode } from '../../src/errors/index.ts';
import { layoutDirectory } from '../../src/flows/build/index.ts';
import { compareWithPublished, summarise } from '../../src/flows/ci/index.ts';
import { createRegistry } from '../../src/registry/index.ts';
import type { Call } from '../command.ts';
import { planFor } from '../plan-option.ts';
import { surroundings } from '../surroundings.ts';
import { variantOf } from './inputs.ts';

/** step tells the reviewer what the built image changes; it lets nothing in and keeps nothing out. */
export async function step(call: Call): Promise<ExitCode> {
  const { host, root } = call;
  const variant = variantOf(call);
  const around = await surroundings(call);
  const done = await compareWithPublished(host, {
    plan: await planFor(call, variant, around),
    layout: layoutDirectory(root, variant),
    registry: createRegistry(host, { mirrors: around.mirrors, plainHttp: around.plainHttp }),
  });
  const text = done.$case === 'compared' ? done.section : `**${variant}** was not compared: ${done.because}`;
  await summarise(host, text);
  if (call.json) call.console.json(done);
  else call.console.print(text);
  return exitCodes.clean;
}
