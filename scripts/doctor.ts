import { parsePlatform } from '../src/core/index.ts';
import { exitCodes } from '../src/errors/index.ts';
import { doctor, renderDoctor } from '../src/flows/doctor.ts';
import { examples, listOption, type CommandModule } from './command.ts';
import { packageRoot } from './project.ts';

export const command: CommandModule = {
  define(parser) {
    parser.option('--platform <list>', 'platforms that must be buildable here (default: all)');
    examples(parser, [
      ['runner-image doctor', 'what this machine lacks, and the command that mends it'],
      ['runner-image doctor --platform linux/amd64', 'for one architecture only'],
      ['runner-image doctor --json', 'the same for a script; exit code 4 when something is lacking'],
    ]);
  },
  async run(call) {
    const platforms = listOption(call, 'platform').map((text) => parsePlatform(text));
    // Outside of a project, the disk that counts is where the user is.
    const where = call.home === packageRoot ? process.cwd() : call.home;
    const result = await doctor(call.host, where, platforms.length === 0 ? undefined : platforms);
    if (call.json) call.console.json(result);
    else call.console.document(renderDoctor(result));
    return result.healthy ? exitCodes.clean : exitCodes.machine;
  },
};
