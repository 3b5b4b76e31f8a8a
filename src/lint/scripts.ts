import { offsetAt, type DockerWord, type Instruction, type Text } from '../dockerfile/index.ts';
import type { List } from './shell/ast.ts';
import { baseName, isShellFlag, shellNames } from './shell/code.ts';
import { foreignMeans } from './shell/foreign.ts';
import { ShellSyntaxError } from './shell/cursor.ts';
import { interpreterOf } from './shell/code.ts';
import { shellOptions, type ShellOptions } from './shell/options.ts';
import { parseShell } from './shell/parse.ts';

/** Script is shell code of an instruction. */
export interface Script {
  /** `run`: at build time; `start`: CMD, ENTRYPOINT, HEALTHCHECK; `file`: a script written by COPY <<EOF. */
  readonly when: 'run' | 'start' | 'file';
  readonly list: List;
  /** What is on from the start (`SHELL ["/bin/bash", "-eo", "pipefail", "-c"]`). */
  readonly options: ShellOptions;
  readonly text: Text;
}

/** Unread is code that no rule saw, and why. */
export interface Unread {
  readonly reason: string;
  readonly offset: number;
  /** The code is of this shell, which the linter does not know. */
  readonly shell?: string | undefined;
}

type Read = Script | Unread;

function read(when: Script['when'], text: Text, options: ShellOptions): Read {
  try {
    return { when, list: parseShell(text), options, text };
  } catch (error) {
    if (!(error instanceof ShellSyntaxError)) throw error;
    return { reason: error.message, offset: error.offset };
  }
}

/** scriptsOf reads every script of an instruction: its command, or the shell scripts among the files of COPY and ADD. */
export function scriptsOf(instruction: Instruction): Read[] {
  const { keyword, shell: inForce } = instruction;
  if (keyword === 'COPY' || keyword === 'ADD') return instruction.files.flatMap(({ body }) => written(body));
  if (!['RUN', 'CMD', 'ENTRYPOINT', 'HEALTHCHECK'].includes(keyword)) return [];
  const when = keyword === 'RUN' ? 'run' : 'start';
  if (instruction.exec) return execScript(when, instruction.words);
  const text = instruction.code;
  if (instruction.type === 'NONE') return [];
  if (text.value === '') return [];
  // The shell may stand behind others: env, conda run.
  const at = inForce.findIndex((word) => shellNames.has(baseName(word)));
  const options = inForce.slice(at + 1);
  if (at < 0 || (options.length > 0 && !isShellFlag(options.at(-1) ?? ''))) {
    const shell = baseName(inForce[0] ?? '');
    return [{ reason: `SHELL is ${shell}`, offset: offsetAt(text, 0), shell }];
  }
  return [read(when, text, shellOptions(options))];
}

/** A file that COPY writes, if it is a script. */
function written(body: Text): Read[] {
  const language = interpreterOf(body.value);
  if (language === undefined) return [];
  if (language === 'shell')
    return [read('file', body, shellOptions((/^#!.*/.exec(body.value)?.[0] ?? '').split(/\s+/)))];
  const found = foreignMeans(language, body.value);
  return found === undefined ? [] : [{ reason: found, offset: offsetAt(body, 0), shell: language }];
}

/** The exec form is one command; code in it (`["sh", "-c", "…"]`) is read where commands are. */
function execScript(when: Script['when'], words: readonly DockerWord[]): Read[] {
  const [command] = words;
  if (command === undefined) return [];
  const { text, offset } = command;
  const plain = words.map((word) => ({
    value: word.text,
    offset: word.offset,
    quoted: true,
    variables: [],
    scripts: [],
  }));
  const simple = { kind: 'simple' as const, offset, assignments: [], redirects: [], words: plain };
  return [
    {
      when,
      list: [{ commands: [simple], negated: false, operator: '' as const, offset }],
      options: shellOptions([]),
      text,
    },
  ];
}
