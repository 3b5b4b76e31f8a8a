import { fstatSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { chalk, quote, type ProcessPromise } from 'zx';
import { shell } from '../../src/host/exec.ts';

export const root = resolve(import.meta.dirname, '../..');

interface Output {
  readonly verbose: boolean;
  /** Where commands and their output are written, unless they go to the terminal. */
  readonly logFile: string;
}
let output: Output = { verbose: true, logFile: '' };
let log: 'inherit' | number = 'inherit';
let running: ProcessPromise | undefined;

/** begin says where the output of the steps goes; without it, to the terminal. */
export function begin(given: Output): void {
  output = given;
  if (given.verbose) return;
  mkdirSync(dirname(given.logFile), { recursive: true });
  log = openSync(given.logFile, 'w');
}

export const print = (text: string): void => void process.stdout.write(text);

/** stop ends what the demo runs at the moment, then the demo. */
export function stop(code: number): never {
  running?.child?.kill();
  process.exit(code);
}

/** A path as it is typed in the project's folder. */
export const here = (path: string): string => relative(root, path);

export interface Command {
  /** A program and its arguments. */
  readonly words: readonly string[];
  /** What is typed for the first two words; they themselves otherwise. */
  readonly shown?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** The exit code that shows that the step went well. Default 0. */
  readonly expected?: number | undefined;
}

export const runnerImage = (words: readonly string[], options: Pick<Command, 'env' | 'expected'> = {}): Command => ({
  words: [process.execPath, join(root, 'bin/runner-image.mjs'), ...words],
  shown: 'node bin/runner-image.mjs',
  ...options,
});

/** As it can be typed again in the project's folder. */
function commandLine({ words, shown, env = {} }: Command): string {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${quote(value)}`);
  const typed = shown === undefined ? words.map(quote) : [shown, ...words.slice(2).map(quote)];
  return [...variables, ...typed].join(' ');
}

function fail(command: Command, exitCode: number | null, from: number): never {
  const { verbose, logFile } = output;
  print(`${chalk.red('failed')}\n\n`);
  if (!verbose) print(readFileSync(logFile).subarray(from).toString().split('\n').slice(-25).join('\n'));
  const { expected = 0 } = command;
  print(`\nThe demo stopped: exit code ${exitCode ?? 'none'} instead of ${expected} from\n  ${commandLine(command)}\n`);
  if (!verbose) print(`${here(logFile)} has what came before.\n`);
  return stop(exitCode === null || exitCode === 0 ? 1 : exitCode);
}

/** step runs the commands of one step, shows it as one line, and ends the demo when one does not end as expected. */
export async function step(name: string, about: string, ...commands: readonly Command[]): Promise<void> {
  const started = Date.now();
  print(`${chalk.bold(name.padEnd(18))} ${about} … ${log === 'inherit' ? '\n' : ''}`);
  for (const command of commands) {
    const line = `\n# ${about}\n$ ${commandLine(command)}\n`;
    if (log === 'inherit') print(line);
    else writeSync(log, line);
    const from = log === 'inherit' ? 0 : fstatSync(log).size;
    const env = { ...process.env, ...command.env };
    running = shell({ cwd: root, env, stdio: ['ignore', log, log] })`${command.words}`;
    const { exitCode } = await running;
    if (exitCode !== (command.expected ?? 0)) fail(command, exitCode, from);
  }
  print(`${chalk.green('✓')} ${((Date.now() - started) / 1000).toFixed(1)} s\n`);
}

process.once('SIGINT', () => stop(130));
process.once('SIGTERM', () => stop(143));
