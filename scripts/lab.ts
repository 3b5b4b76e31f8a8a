import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, exitCodes, type ExitCode } from '../src/errors/index.ts';
import { shell } from '../src/host/exec.ts';
import { examples, flag, stringOption, type Call, type CommandModule } from './command.ts';

const actions = ['up', 'down', 'status', 'tools'];

/** The lab is a product of its own: it runs from the project's sources, also when this command was bundled. */
async function runLab(call: Call, args: readonly string[]): Promise<ExitCode> {
  const program = join(call.root, 'src/lab/cli.ts');
  if (!existsSync(program)) {
    throw new AppError('lab/no-sources', 'usage', 'the lab needs a checkout of this project', {
      expected: program,
      hint: 'clone the project and run make demo there',
    });
  }
  const $ = shell({ cwd: call.root, stdio: 'inherit' });
  const { exitCode } = await $`${process.execPath} ${program} ${args}`;
  return (exitCode ?? exitCodes.machine) as ExitCode;
}

export const command: CommandModule = {
  define(command) {
    command
      .argument('[action]', 'up, down, status or tools', 'status')
      .option('--engines <kinds>', 'up: engines to have, classic and current', 'classic')
      .option('--cache', 'down: remove the downloads as well');
    examples(command, [
      ['runner-image lab up', 'start the embedded upstreams: registry, artifacts, engine where none runs'],
      ['runner-image lab up --engines classic,current', 'with a second Docker engine of the newest kind'],
      ['runner-image lab tools', 'fetch the peers that tests compare with: cosign, crane, oras, buildx'],
      ['runner-image lab down', 'stop and remove everything but the downloads'],
    ]);
  },
  async run(call) {
    const action = call.args[0] ?? 'status';
    if (!actions.includes(action)) {
      throw new AppError('lab/action', 'usage', `unknown action ${JSON.stringify(action)}`, {
        expected: actions.join(', '),
      });
    }
    const options = [
      ...(call.json ? ['--json'] : []),
      ...(flag(call, 'quiet') ? ['--quiet'] : []),
      ...(flag(call, 'cache') ? ['--cache'] : []),
      ...(action === 'up' ? ['--engines', stringOption(call, 'engines') ?? 'classic'] : []),
    ];
    return runLab(call, [action, ...options]);
  },
};
