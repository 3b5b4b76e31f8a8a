import type { Word } from './ast.ts';
import { languageOf } from './foreign.ts';

export const shellNames: ReadonlySet<string> = new Set(['sh', 'bash', 'dash', 'ash', 'zsh', 'ksh', 'mksh', 'rbash']);

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** isShellFlag: the option that makes a shell run the next argument, `-c`, also bundled. */
export function isShellFlag(text: string): boolean {
  return /^-[a-zA-Z]*c[a-zA-Z]*$/.test(text);
}

/** A piece of code among the arguments of a command. */
export interface Code {
  readonly word: Word;
  /** `shell`, or the name of another language. */
  readonly language: string;
}

/** Programs that run a command line given behind -c. */
const takesCommand = new Set(['su', 'runuser', 'script', 'flock', 'sg']);
/** Commands for which a program's name is only a word. */
const readsWords: ReadonlySet<string> = new Set(
  'echo printf grep egrep fgrep sed cat ls rm cp mv ln chmod chown touch test [ [[ which type command apt apt-get apk dnf yum microdnf zypper pacman brew pip pip3 npm export unset : true false mkdir install update-alternatives'.split(
    ' ',
  ),
);

const valueOf = (word: Word | undefined): string => word?.value.value ?? '';

/** The code behind the first `-c` of these arguments. */
function behindFlag(args: readonly Word[]): Word | undefined {
  const flag = args.findIndex((word) => isShellFlag(valueOf(word)));
  return flag < 0 ? undefined : args[flag + 1];
}

const codeFlags: Readonly<Record<string, RegExp>> = {
  python: /^-[a-zA-Z]*c$/,
  node: /^(?:-e|-p|-pe|--eval|--print|eval)$/,
  perl: /^-[a-zA-Z0-9]*[eE]$/,
  ruby: /^-[a-zA-Z]*e$/,
  php: /^-(?:r|B|R|E)$/,
};

function foreignCode(language: string, args: readonly Word[]): Word | undefined {
  if (language === 'PowerShell' || language === 'cmd') {
    const flags = language === 'cmd' ? /^\/[ck]$/i : /^-(?:c|co\w*|e|ec|en\w*|f\w*)$/i;
    const at = args.findIndex((word) => flags.test(valueOf(word)));
    // PowerShell takes what is no option as a command.
    return at >= 0 ? args[at + 1] : args.find((word) => !/^[-/]/.test(valueOf(word)));
  }
  if (language === 'awk')
    return args.some((word) => /^-[a-zA-Z]*f/.test(valueOf(word))) ? undefined : args.find((word) => word.quoted);
  const flag = codeFlags[language] ?? /^-(?:c|e|-eval)$/;
  const at = args.findIndex((word) => flag.test(valueOf(word)));
  // Behind the script's name they are its own options.
  if (at < 0 || args.slice(0, at).some((word) => !valueOf(word).startsWith('-') && language !== 'node'))
    return undefined;
  return args[at + 1];
}

/** codeOf returns the code that a command is given as arguments: `sh -c`, also behind other programs, `su -c`, `python -c`. */
export function codeOf(name: string, args: readonly Word[]): Code[] {
  if (readsWords.has(name)) return [];
  const shell = (word: Word | undefined): Code[] => (word === undefined ? [] : [{ word, language: 'shell' }]);
  if (shellNames.has(name)) return shell(behindFlag(args));
  if (takesCommand.has(name)) {
    const given = args.find((word) => /^--(?:session-)?command=/.test(valueOf(word)));
    const at = args.findIndex((word) => /^(?:-[a-z]*c|--(?:session-)?command)$/.test(valueOf(word)));
    return shell(given ?? (at < 0 ? undefined : args[at + 1]));
  }
  const language = languageOf(name);
  if (language !== undefined) {
    const word = foreignCode(language, args);
    return word === undefined ? [] : [{ word, language }];
  }
  // find -exec sh -c …, chroot /x sh -c …, gosu user python -c …
  for (const [i, word] of args.entries()) {
    const program = baseName(valueOf(word));
    const rest = args.slice(i + 1);
    if (shellNames.has(program) && behindFlag(rest) !== undefined) return shell(behindFlag(rest));
    const other = languageOf(program);
    const code = other === undefined || !Object.hasOwn(codeFlags, other) ? undefined : foreignCode(other, rest);
    if (other !== undefined && code !== undefined) return [{ word: code, language: other }];
  }
  return [];
}

/** readsStdin: the program takes its code from stdin, for it is given no script, -c or -e. */
export function readsStdin(name: string, args: readonly Word[]): boolean {
  const words = args.map(valueOf);
  const isStdin = (text: string): boolean => /^\/(?:dev\/(?:stdin|fd\/0)|proc\/self\/fd\/0)$/.test(text);
  if (name === 'source' || name === '.') return words.some(isStdin);
  const isShell = shellNames.has(name);
  if (!isShell && languageOf(name) === undefined) return false;
  for (const [i, text] of words.entries()) {
    if (text === '-' || text === '--' || isStdin(text)) return true;
    if (isShell) {
      if (isShellFlag(text)) return false;
      if (/^-[a-z]*s/.test(text)) return true;
      if (/^[-+]o$/.test(words[i - 1] ?? '')) continue;
    } else if (/^-(?:[a-zA-Z]*[cempr]|[vVhi]|-eval|-print|-require|-version|-help)/.test(text)) return false;
    if (!text.startsWith('-') && !text.startsWith('+')) return false;
    if (text === '--version' || text === '--help') return false;
  }
  return languageOf(name) !== 'awk';
}

/** interpreterOf returns the language that a `#!` line names, undefined without one. */
export function interpreterOf(text: string): string | undefined {
  const program = /^#![ \t]*(?:\S*\/)?(?:env[ \t]+(?:-\S+[ \t]+)*)?(\S+)/.exec(text)?.[1];
  if (program === undefined) return undefined;
  const name = baseName(program);
  return shellNames.has(name) ? 'shell' : (languageOf(name) ?? name);
}
