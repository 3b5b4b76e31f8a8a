import { AppError, exitCodes } from '../src/errors/index.ts';
import { commands } from './commands.ts';
import { examples, type CommandModule } from './command.ts';
import { parserFor } from './parser.ts';

interface Completed {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly { readonly long: string; readonly description: string }[];
}

/** completed returns every command with its long options, as commander knows them. */
async function completed(): Promise<Completed[]> {
  return await Promise.all(
    Object.entries(commands).map(async ([name, { summary, load }]) => {
      const parser = parserFor(name, (await load()).command);
      const options = [parser, ...parser.commands].flatMap((one) => one.options);
      const long = [...options, { long: '--help', description: 'options and worked examples' }];
      return { name, summary, options: long.map(({ long = '', description }) => ({ long, description })) };
    }),
  );
}

/** Options where a word starts with `-`, commands first of all, and file names everywhere else. */
function bash(all: readonly Completed[]): string {
  const cases = all.map(({ name, options }) => `    ${name}) words='${options.map(({ long }) => long).join(' ')}' ;;`);
  return `_runner_image() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" words=''
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then words='${all.map(({ name }) => name).join(' ')} --help --version'
  elif [[ "$cur" != -* ]]; then return; fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _runner_image runner-image`;
}

const zsh = (all: readonly Completed[]): string => `autoload -U +X compinit && compinit
autoload -U +X bashcompinit && bashcompinit
${bash(all)}`;

function fish(all: readonly Completed[]): string {
  const quoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;
  const complete = (when: string, what: string, description: string): string =>
    `complete -c runner-image -n ${quoted(when)} ${what} -d ${quoted(description)}`;
  return all
    .flatMap(({ name, summary, options }) => [
      complete('__fish_use_subcommand', `-f -a ${name}`, summary),
      ...options.map(({ long, description }) =>
        complete(`__fish_seen_subcommand_from ${name}`, `-l ${long.slice(2)}`, description),
      ),
    ])
    .join('\n');
}

const shells: Readonly<Record<string, (all: readonly Completed[]) => string>> = { bash, zsh, fish };

export const command: CommandModule = {
  define(parser) {
    parser.argument('<shell>', Object.keys(shells).join(', '));
    examples(parser, [
      [
        'runner-image completion bash > ~/.local/share/bash-completion/completions/runner-image',
        'read when first needed',
      ],
      ['runner-image completion zsh > ~/.runner-image.zsh', 'and `source ~/.runner-image.zsh` in ~/.zshrc'],
      ['runner-image completion fish > ~/.config/fish/completions/runner-image.fish', 'read when first needed'],
    ]);
  },
  async run({ console, args: [name = ''] }) {
    const script = Object.hasOwn(shells, name) ? shells[name] : undefined;
    if (script === undefined)
      throw new AppError('cli/shell', 'usage', `no completion for ${JSON.stringify(name)}`, {
        expected: Object.keys(shells).join(', '),
      });
    console.document(script(await completed()));
    return exitCodes.clean;
  },
};
