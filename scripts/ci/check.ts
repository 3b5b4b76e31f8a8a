import { parsePlatform } from '../../src/core/index.ts';
import { exitCodes, type ExitCode } from '../../src/errors/index.ts';
import { layoutDirectory } from '../../src/flows/build/index.ts';
import { checkPlatform, summarise } from '../../src/flows/ci/index.ts';
import { createRegistry } from '../../src/registry/index.ts';
import { formatAnnotations, formatReport } from '../../src/report/index.ts';
import type { Call } from '../command.ts';
import { surroundings } from '../surroundings.ts';
import { toolVersion } from '../version.ts';
import { needed, neededFile, variantOf } from './inputs.ts';

/** step starts one platform's image and writes down what was seen; the record is written either way. */
export async function step(call: Call): Promise<ExitCode> {
  const { host, root } = call;
  const variant = variantOf(call);
  const file = neededFile(call, 'output');
  const { dockerHost, mirrors } = await surroundings(call);
  const { record, result } = await checkPlatform(host, {
    root,
    variant,
    layout: layoutDirectory(root, variant),
    platform: parsePlatform(needed(call, 'platform')),
    registry: createRegistry(host, { mirrors }),
    version: toolVersion(),
    dockerHost,
  });
  await host.files.write(file, `${JSON.stringify(record, null, 2)}\n`);
  await summarise(host, formatReport(result.report, 'markdown'));
  if (call.json) call.console.json(record);
  else call.console.print(formatReport(result.report, 'table'));
  if (host.env['GITHUB_ACTIONS'] === 'true') host.story.say(formatAnnotations(result.report));
  return record.errors === 0 ? exitCodes.clean : exitCodes.findings;
}
