import { Command } from 'commander';
import { commands } from './commands.ts';
import { commonOptions, type CommandModule } from './command.ts';

/** parserFor returns the parser of one command: its own arguments and options, and those that every command has. */
export function parserFor(name: string, module: CommandModule): Command {
  const parser = new Command(`runner-image ${name}`)
    .description(commands[name]?.summary ?? '')
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .configureOutput({ outputError: () => undefined });
  commonOptions(parser);
  module.define(parser);
  return parser;
}
