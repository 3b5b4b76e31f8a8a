import { Command } from 'commander';
import { commands } from './commands.ts';
import type { CommandModule } from './command.ts';

/** parserFor returns the parser of one command: its own arguments and options, and those that every command has. */
export function parserFor(name: string, module: CommandModule): Command {
  const parser = new Command(`runner-image ${name}`)
    .description(commands[name]?.summary ?? '')
    .option('--json', 'print the result as JSON')
    .option('--quiet', 'no progress on stderr, only warnings and errors')
    .option('--root <dir>', 'the project (default: the closest folder with images/pins.yaml, upwards from here)')
    .exitOverride()
    .configureOutput({ outputError: () => undefined });
  module.define(parser);
  return parser;
}
