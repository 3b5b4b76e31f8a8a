import { exitCodes } from '../src/errors/index.ts';
import { generate } from '../src/flows/generate.ts';
import { cliPage } from './cli-page.ts';
import { examples, flag, type CommandModule } from './command.ts';
import { commands } from './commands.ts';

/** The pages that are made from this program's own commands, by path relative to the project. */
async function pages(): Promise<ReadonlyMap<string, string>> {
  const documented = await Promise.all(
    Object.entries(commands).map(async ([name, { summary, load }]) => ({
      name,
      summary,
      module: (await load()).command,
    })),
  );
  return new Map([['docs/cli.md', cliPage(documented)]]);
}

export const command: CommandModule = {
  define(parser) {
    parser.option('--check', 'write nothing; show what is out of date and exit with 1');
    examples(parser, [
      [
        'runner-image generate',
        'write Dockerfiles, policies, copied locks, JSON Schemas, docs/rules.md and docs/cli.md',
      ],
      ['runner-image generate --check', 'what CI runs: a diff where a committed file is out of date'],
    ]);
  },
  async run(call) {
    const check = flag(call, 'check');
    const { files, changes } = await generate(call.host, { root: call.root, check, pages: await pages() });
    if (call.json) call.console.json({ files, check, changes });
    else if (check) for (const { diff } of changes) call.console.document(diff.trimEnd());
    else for (const { kind, path } of changes) call.console.print(`${kind === 'stale' ? 'removed' : 'wrote'} ${path}`);
    if (changes.length === 0) call.host.progress.say(`${files} generated files are up to date`);
    if (!check || changes.length === 0) return exitCodes.clean;
    call.host.progress.warn(`${changes.length} of ${files} generated files are out of date; do: runner-image generate`);
    return exitCodes.findings;
  },
};
