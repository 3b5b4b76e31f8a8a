import { join } from 'node:path';
import { parsePlatform } from '../src/core/index.ts';
import { exitCodes } from '../src/errors/index.ts';
import { sbomsOf } from '../src/flows/trust/index.ts';
import { createRegistry } from '../src/registry/index.ts';
import { examples, listOption, stringOption, type CommandModule } from './command.ts';
import { surroundings, surroundingsOptions } from './surroundings.ts';
import { projectVersion } from './version.ts';

export const command: CommandModule = {
  define(command) {
    command
      .argument('<image>', 'oci:DIR, oci-archive:FILE, docker-archive:FILE, docker-daemon:REF or a registry reference')
      .option('--platform <list>', 'only these platforms')
      .option('--repository <name>', 'what the documents call the image', 'localhost/runner')
      .option('--epoch <seconds>', 'timestamp of the documents, seconds since 1970', '0')
      .option('--output <dir>', 'write <architecture>.cdx.json there instead of to stdout');
    surroundingsOptions(command);
    examples(command, [
      ['runner-image sbom oci:dist/openshell --output dist/openshell-sbom', 'CycloneDX 1.6, one document per platform'],
      ['runner-image sbom oci:dist/openshell --platform linux/amd64', 'one document on stdout'],
    ]);
  },
  async run(call) {
    const { host } = call;
    const around = await surroundings(call);
    const platforms = listOption(call, 'platform').map((text) => parsePlatform(text));
    const made = await sbomsOf(host, {
      image: call.args[0] ?? '',
      registry: createRegistry(host, { mirrors: around.mirrors }),
      repository: stringOption(call, 'repository') ?? 'localhost/runner',
      sourceDateEpoch: Number(stringOption(call, 'epoch') ?? '0'),
      toolVersion: projectVersion(call.root),
      ...(platforms.length === 0 ? {} : { platforms }),
      ...(around.dockerHost === undefined ? {} : { dockerHost: around.dockerHost }),
    });
    const output = stringOption(call, 'output');
    for (const { platform, digest, components, text } of made) {
      host.story.say(`${platform} ${digest}: ${components} components`);
      if (output === undefined) call.console.print(text.trimEnd());
      else await host.files.write(join(process.cwd(), output, `${platform.split('/')[1] ?? platform}.cdx.json`), text);
    }
    return exitCodes.clean;
  },
};
