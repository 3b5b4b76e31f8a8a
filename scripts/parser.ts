import { Command } from 'commander';
import { commands } from './commands.ts';
import { commonOptions, type CommandModule } from './command.ts';

/** define adds to a parser what a module defines, its subcommands included. */
export function define(parser: Command, module: CommandModule): void {
  module.define(parser);
  // What is named is run by runner-image.ts; commander has to know that it can be.
  if (module.run !== undefined) parser.action(() => undefined);
  for (const [name, subcommand] of Object.entries(module.subcommands ?? {})) {
    const child = parser.command(name).description(subcommand.summary);
    subcommand.define?.(child);
    child.action(() => undefined);
  }
}

/** parserFor returns the parser of one command: its own arguments and options, and those that every command has. */
export function parserFor(name: string, module: CommandModule): Command {
  const parser = new Command(`runner-image ${name}`)
    .description(commands[name]?.summary ?? '')
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .configureOutput({ outputError: () => undefined });
  commonOptions(parser);
  define(parser, module);
  return parser;
}
