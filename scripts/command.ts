import { resolve } from 'node:path';
import type { Command } from 'commander';
import { parsePlatform, type Platform } from '../src/core/index.ts';
import type { ExitCode } from '../src/errors/index.ts';
import type { Console, Host } from '../src/host/index.ts';

/**
 * CommandModule is one command: `define` adds arguments, options and worked examples (use
 * `examples`), `run` makes one call of a flow and prints. Every command gets `--json`, `--quiet`
 * and `--root` from runner-image.ts.
 */
export interface CommandModule {
  define(command: Command): void;
  /** Absent where one of the subcommands has to be named. */
  run?(call: Call): Promise<ExitCode>;
  readonly subcommands?: Readonly<Record<string, Subcommand>> | undefined;
}

export interface Subcommand {
  /** One line for the help of the command. */
  readonly summary: string;
  define?(command: Command): void;
  run(call: Call): Promise<ExitCode>;
}

export interface Call {
  readonly host: Host;
  readonly console: Console;
  readonly args: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly json: boolean;
  /**
   * Absolute path of the project: --root, or the closest folder with images/pins.yaml from the working directory upwards.
   * Throws `cli/no-project` where there is none.
   */
  readonly root: string;
  /** The same, and outside of any project this package's own folder, which has the contract and the published images. */
  readonly home: string;
}

/** commonOptions adds the options that every command has. */
export function commonOptions(command: Command): void {
  command
    .option('--json', 'print the result as JSON')
    .option('--quiet', 'no progress on stderr, only warnings and errors')
    .option('--root <dir>', 'the project (default: the closest folder with images/pins.yaml, upwards from here)');
}

/** examples adds worked examples below a command's help. */
export function examples(command: Command, lines: readonly (readonly [string, string])[]): void {
  const width = Math.max(...lines.map(([example]) => example.length));
  const text = lines.map(([example, does]) => `  ${example.padEnd(width)}  ${does}`).join('\n');
  command.addHelpText('after', `\nExamples:\n${text}`);
}

/** stringOption reads one option that commander parsed as text. */
export function stringOption(call: Call, name: string): string | undefined {
  const value = call.options[name];
  return typeof value === 'string' ? value : undefined;
}

/** fromHere makes a path on the command line absolute. */
export const fromHere = (path: string): string => resolve(path);

/** pathOption reads an option that names a file or folder, as an absolute path. */
export function pathOption(call: Call, name: string): string | undefined {
  const path = stringOption(call, name);
  return path === undefined ? undefined : fromHere(path);
}

/** fileOption reads a required option (requiredOption) that names a file, as an absolute path. */
export const fileOption = (call: Call, name: string): string => fromHere(String(call.options[name]));

export function flag(call: Call, name: string): boolean {
  return call.options[name] === true;
}

/** collect lets an option be given several times, each value as it is. */
export const collect = (value: string, previous: readonly string[] = []): readonly string[] => [...previous, value];

/** valuesOption reads an option made with `collect`; commas belong to the values. */
export function valuesOption(call: Call, name: string): readonly string[] {
  const value = call.options[name];
  return Array.isArray(value) ? value.map(String) : [];
}

/** listOption reads an option that may be given several times or as a comma-separated list. */
export function listOption(call: Call, name: string): readonly string[] {
  const value = call.options[name];
  const given = Array.isArray(value) ? value.map(String) : typeof value === 'string' ? [value] : [];
  return given.flatMap((item) => item.split(',')).filter((item) => item !== '');
}

/** platformsOption reads `--platform`; undefined, for all of them, without it. Throws `core/platform`. */
export function platformsOption(call: Call): readonly Platform[] | undefined {
  const platforms = listOption(call, 'platform').map((text) => parsePlatform(text));
  return platforms.length === 0 ? undefined : platforms;
}

/** printResult prints the value with `--json`, and otherwise a formatted text or lines for a person. */
export function printResult({ json, console }: Call, value: unknown, text: string | readonly string[]): void {
  if (json) console.json(value);
  else if (typeof text !== 'string') console.print(text);
  else if (text !== '') console.document(text);
}
