import { AppError, exitCodes, type ExitCode } from '../../src/errors/index.ts';
import { compareImages, withImages } from '../../src/flows/bump/index.ts';
import { createRegistry } from '../../src/registry/index.ts';
import { fromHere, stringOption, type Call } from '../command.ts';
import { surroundings } from '../surroundings.ts';

/** images adds what two built images differ in to the reviewer's page; it asks no upstream and bumps nothing. */
export async function images(call: Call): Promise<ExitCode> {
  const { host } = call;
  const [before, after] = [stringOption(call, 'oldImage'), stringOption(call, 'newImage')];
  if (before === undefined || after === undefined || call.args.length > 0)
    throw new AppError('cli/usage', 'usage', 'two images are compared, and no pins are named', {
      expected: '--old-image IMAGE --new-image IMAGE',
    });
  const { mirrors, dockerHost } = await surroundings(call);
  const registry = createRegistry(host, { mirrors });
  const section = await compareImages(host, { before, after, registry, dockerHost });
  const body = stringOption(call, 'prBody');
  if (body === undefined) {
    call.console.document(section);
    return exitCodes.clean;
  }
  const file = fromHere(body);
  const page = (await host.files.stat(file)) === undefined ? '' : await host.files.readText(file, 4 * 1024 * 1024);
  await host.files.write(file, withImages(page, section));
  host.story.say(`added the images to ${body}`);
  return exitCodes.clean;
}
