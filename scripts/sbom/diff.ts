import { AppError, exitCodes } from '../../src/errors/index.ts';
import { compareImages, withImages } from '../../src/flows/compare-images.ts';
import { formatSbomDiff, isSame } from '../../src/flows/trust/index.ts';
import {
  examples,
  pathOption,
  platformsOption,
  printResult,
  stringOption,
  type Call,
  type Subcommand,
} from '../command.ts';
import { readEnvironment } from '../environment-options.ts';

function parseFormat(text = 'table'): 'table' | 'markdown' {
  if (text === 'table' || text === 'markdown') return text;
  throw new AppError('cli/format', 'usage', 'unknown format', { expected: 'table or markdown', found: text });
}

/** writeInto puts the section into a page, in the place of the one that an earlier comparison left. */
async function writeInto({ host }: Call, file: string, section: string): Promise<void> {
  const page = (await host.files.stat(file)) === undefined ? '' : await host.files.readText(file, 4 * 1024 * 1024);
  await host.files.write(file, withImages(page, section));
  host.progress.say(`added the images to ${file}`);
}

/** diff exits with 1 when the packages differ, as diff(1) does. */
export const diff: Subcommand = {
  summary: 'compare the packages of two images; exit 1 where they differ',
  define(command) {
    command
      .argument('<old>', 'an image, with a transport as above')
      .argument('<new>', 'another one')
      .option('--format <name>', 'table or markdown; Markdown has the sizes, too', 'table')
      .option('--page <file>', 'put the Markdown into this page, such as the body of a pull request; then exit 0');
    examples(command, [
      ['runner-image sbom diff quay.io/o/runner:stable oci:dist/openshell', 'what came, went or changed'],
      ['runner-image sbom diff OLD NEW --page body.md', 'size and packages, for the reviewer'],
    ]);
  },
  async run(call) {
    const [before = '', after = ''] = call.args;
    const format = parseFormat(stringOption(call, 'format'));
    const page = pathOption(call, 'page');
    const { registry, dockerHost } = await readEnvironment(call);
    const names = { before, after };
    const options = {
      ...names,
      names,
      registry,
      platforms: platformsOption(call),
      dockerHost,
    };
    const { packages, section } = await compareImages(call.host, options);
    if (page !== undefined) {
      await writeInto(call, page, section);
      return exitCodes.clean;
    }
    printResult(call, packages, format === 'markdown' ? section : formatSbomDiff(packages, 'table'));
    return isSame(packages) ? exitCodes.clean : exitCodes.findings;
  },
};
