// Before any package that reads the proxies from the environment.
import '../src/host/loopback.ts';
import { resolve } from 'node:path';
import { CommanderError } from 'commander';
import { AppError, errorToJson, exitCodes, renderError, visibleText, type ExitCode } from '../src/errors/index.ts';
import { createHost, makeConsole, type CreatedHost } from '../src/host/index.ts';
import { commands } from './commands.ts';
import type { Call } from './command.ts';
import { endWith } from './ending.ts';
import { parserFor } from './parser.ts';
import { findProject, noProject, packageRoot } from './project.ts';
import { toolVersion } from './version.ts';

// zod compiles each schema into a function (new Function) before its first use, unless it is configured not to: for the
// few values that a command reads, that takes longer than it saves.
Object.assign(globalThis, { __zod_globalConfig: { jitless: true } });

const console = makeConsole(process.stdout);

function overview(): string {
  const names = Object.keys(commands);
  const width = Math.max(0, ...names.map((name) => name.length));
  const lines = names.map((name) => `  ${name.padEnd(width)}  ${commands[name]?.summary ?? ''}`);
  return [
    'runner-image: runner images from pinned inputs to a signed multi-arch index',
    '',
    'Usage: runner-image <command> [arguments]   (runner-image <command> --help shows worked examples)',
    '',
    ...lines,
    '',
    'Exit codes: 0 clean, 1 findings, 2 wrong use or configuration, 3 upstream or network, 4 the machine lacks something',
  ].join('\n');
}

async function main(argv: readonly string[]): Promise<ExitCode> {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    console.document(overview());
    return name === undefined ? exitCodes.usage : exitCodes.clean;
  }
  if (name === '--version' || name === '-V') {
    console.print(toolVersion());
    return exitCodes.clean;
  }
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (entry === undefined) {
    throw new AppError('cli/unknown-command', 'usage', `unknown command ${JSON.stringify(name)}`, {
      expected: Object.keys(commands).join(', '),
      hint: 'runner-image --help',
    });
  }
  const { command: module } = await entry.load();
  const parser = parserFor(name, module);
  let named = parser;
  parser.hook('preAction', (_parser, subcommand) => void (named = subcommand));
  parser.parse(rest, { from: 'user' });
  const options = named.optsWithGlobals<Record<string, unknown>>();
  const here = process.cwd();
  const project = typeof options['root'] === 'string' ? resolve(options['root']) : findProject(here);
  const chosen = named === parser ? module : module.subcommands?.[named.name()];
  return await withHost(options['quiet'] === true, async (host) => {
    const call: Call = {
      host,
      console,
      args: named.args,
      options,
      json: options['json'] === true,
      get root() {
        if (project === undefined) throw noProject(here);
        return project;
      },
      home: project ?? packageRoot,
    };
    return (await chosen?.run?.(call)) ?? exitCodes.usage;
  });
}

let running: CreatedHost | undefined;

/** withHost ends running work on Ctrl-C, waits for its clean-up, and never leaves without it. */
async function withHost(quiet: boolean, run: (host: CreatedHost) => Promise<ExitCode>): Promise<ExitCode> {
  const host = createHost({ quiet });
  running = host;
  const stop = (signal: NodeJS.Signals) => {
    process.once(signal, () => process.exit(130));
    host.progress.warn(`${signal}: stopping and cleaning up (once more to leave at once)`);
    host.abort(signal);
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  try {
    return await run(host);
  } catch (error) {
    if (host.signal.aborted && !(error instanceof AppError)) {
      throw new AppError('cli/interrupted', 'machine', 'interrupted; nothing half-written was left behind', {
        cause: error,
      });
    }
    throw error;
  } finally {
    await host.close();
  }
}

function report(error: unknown, json: boolean): ExitCode {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return exitCodes.clean;
    // A command with subcommands was called without one: its help was printed.
    if (error.code === 'commander.help') return exitCodes.usage;
    const text = error.message.replace(/^error: /, '');
    return report(new AppError('cli/usage', 'usage', text, { hint: 'add --help for the options and examples' }), json);
  }
  process.stderr.write(`${visibleText(renderError(error))}\n`);
  if (json) console.json({ error: errorToJson(error) });
  return error instanceof AppError ? error.exit : exitCodes.machine;
}

const argv = process.argv.slice(2);
endWith(() => main(argv), {
  report: (error) => report(error, argv.includes('--json')),
  awaited: () => running?.awaited() ?? [],
  close: async () => running?.close(),
});
