import { parsePlatform } from '../../src/core/index.ts';
import { AppError, exitCodes, type ExitCode } from '../../src/errors/index.ts';
import { formatSbomDiff, isSame, sbomDiff } from '../../src/flows/trust/index.ts';
import { listOption, stringOption, type Call } from '../command.ts';
import { surroundings } from '../surroundings.ts';
import { registryOf } from '../registry.ts';

function formatOf(call: Call): 'table' | 'markdown' {
  const text = stringOption(call, 'format') ?? 'table';
  if (text === 'table' || text === 'markdown') return text;
  throw new AppError('cli/format', 'usage', 'unknown format', { expected: 'table or markdown', found: text });
}

/** diff ends with 1 when the packages differ, as diff(1) does. */
export async function diff(call: Call): Promise<ExitCode> {
  const [, before, after, ...more] = call.args;
  if (before === undefined || after === undefined || more.length > 0)
    throw new AppError('cli/usage', 'usage', 'sbom diff compares two images', {
      expected: 'runner-image sbom diff OLD NEW',
      found: `${call.args.length - 1} images`,
    });
  const format = formatOf(call);
  const around = await surroundings(call);
  const platforms = listOption(call, 'platform').map((text) => parsePlatform(text));
  const found = await sbomDiff(call.host, {
    before,
    after,
    registry: registryOf(call, around.mirrors),
    ...(platforms.length === 0 ? {} : { platforms }),
    dockerHost: around.dockerHost,
  });
  if (call.json) call.console.json(found);
  else call.console.document(formatSbomDiff(found, format));
  return isSame(found) ? exitCodes.clean : exitCodes.findings;
}
