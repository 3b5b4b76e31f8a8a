import { join } from 'node:path';
import { parsePlatform } from '../src/core/index.ts';
import { AppError, exitCodes } from '../src/errors/index.ts';
import { projectPins, sbomsOf } from '../src/flows/trust/index.ts';
import { examples, fromHere, listOption, stringOption, type CommandModule } from './command.ts';
import { surroundings, surroundingsOptions } from './surroundings.ts';
import { toolVersion } from './version.ts';
import { registryOf } from './registry.ts';

export const command: CommandModule = {
  define(command) {
    command
      .argument(
        '<image...>',
        'oci:DIR, oci-archive:FILE, docker-archive:FILE, docker-daemon:REF or a registry reference; or: diff OLD NEW',
      )
      .option('--platform <list>', 'only these platforms')
      .option('--repository <name>', 'what the documents call the image', 'localhost/runner')
      .option('--epoch <seconds>', 'timestamp of the documents, seconds since 1970', '0')
      .option('--output <dir>', 'write <architecture>.cdx.json there instead of to stdout')
      .option('--format <name>', 'diff: table or markdown', 'table');
    surroundingsOptions(command);
    examples(command, [
      ['runner-image sbom oci:dist/openshell --output dist/openshell-sbom', 'CycloneDX 1.6, one document per platform'],
      ['runner-image sbom oci:dist/openshell --platform linux/amd64', 'one document on stdout'],
      [
        'runner-image sbom diff quay.io/o/runner:stable oci:dist/openshell',
        'what came, went or changed; exit 1 if any',
      ],
      ['runner-image sbom diff OLD NEW --format markdown', 'for a pull request'],
    ]);
  },
  async run(call) {
    const { host } = call;
    if (call.args[0] === 'diff') return (await import('./sbom/diff.ts')).diff(call);
    if (call.args.length > 1)
      throw new AppError('cli/usage', 'usage', 'sbom lists one image', { hint: 'to compare two: sbom diff OLD NEW' });
    const around = await surroundings(call);
    const platforms = listOption(call, 'platform').map((text) => parsePlatform(text));
    const made = await sbomsOf(host, {
      image: call.args[0] ?? '',
      registry: registryOf(call, around.mirrors),
      repository: stringOption(call, 'repository') ?? 'localhost/runner',
      sourceDateEpoch: Number(stringOption(call, 'epoch') ?? '0'),
      toolVersion: toolVersion(),
      pins: projectPins(host, { root: call.home, ...around }),
      ...(platforms.length === 0 ? {} : { platforms }),
      dockerHost: around.dockerHost,
    });
    const output = stringOption(call, 'output');
    for (const { platform, digest, components, text } of made) {
      host.story.say(`${platform} ${digest}: ${components} components`);
      if (output === undefined) call.console.document(text.trimEnd());
      else await host.files.write(join(fromHere(output), `${platform.split('/')[1] ?? platform}.cdx.json`), text);
    }
    return exitCodes.clean;
  },
};
