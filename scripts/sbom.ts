import { join } from 'node:path';
import { exitCodes } from '../src/errors/index.ts';
import { projectPins, sbomsOf } from '../src/flows/trust/index.ts';
import { examples, pathOption, platformsOption, stringOption, type CommandModule } from './command.ts';
import { environmentOptions, readEnvironment } from './environment-options.ts';
import { diff } from './sbom/diff.ts';
import { toolVersion } from './version.ts';

export const command: CommandModule = {
  define(command) {
    command
      .argument('<image>', 'oci:DIR, oci-archive:FILE, docker-archive:FILE, docker-daemon:REF or a registry reference')
      .option('--platform <list>', 'only these platforms')
      .option('--repository <name>', 'what the documents call the image', 'localhost/runner')
      .option('--epoch <seconds>', 'timestamp of the documents, seconds since 1970', '0')
      .option('--output <dir>', 'write <architecture>.cdx.json there instead of to stdout');
    environmentOptions(command);
    examples(command, [
      ['runner-image sbom oci:dist/openshell --output dist/openshell-sbom', 'CycloneDX 1.6, one document per platform'],
      ['runner-image sbom oci:dist/openshell --platform linux/amd64', 'one document on stdout'],
    ]);
  },
  async run(call) {
    const { host } = call;
    const environment = await readEnvironment(call);
    const made = await sbomsOf(host, {
      image: call.args[0] ?? '',
      registry: environment.registry,
      repository: stringOption(call, 'repository') ?? 'localhost/runner',
      sourceDateEpoch: Number(stringOption(call, 'epoch') ?? '0'),
      toolVersion: toolVersion(),
      pins: projectPins(host, { root: call.home, ...environment }),
      platforms: platformsOption(call),
      dockerHost: environment.dockerHost,
    });
    const output = pathOption(call, 'output');
    for (const { platform, digest, components, text } of made) {
      host.progress.say(`${platform} ${digest}: ${components} components`);
      if (output === undefined) call.console.print(text.trimEnd());
      else await host.files.write(join(output, `${platform.split('/')[1] ?? platform}.cdx.json`), text);
    }
    return exitCodes.clean;
  },
  subcommands: { diff },
};
