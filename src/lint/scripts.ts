import { offsetAt, type DockerWord, type Instruction, type Text } from '../dockerfile/index.ts';
import type { List } from './shell/ast.ts';
import { baseName, isShellFlag, shellNames } from './shell/flatten.ts';
import { parseShell, ShellSyntaxError } from './shell/parse.ts';

/** Script is shell code of an instruction. */
export interface Script {
  /** `run`: at build time; `start`: CMD, ENTRYPOINT, HEALTHCHECK; `file`: a script written by COPY <<EOF. */
  readonly when: 'run' | 'start' | 'file';
  readonly list: List;
  /** pipefail is on from the start (`SHELL ["/bin/bash", "-o", "pipefail", "-c"]`). */
  readonly pipefail: boolean;
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

function read(when: Script['when'], text: Text, pipefail: boolean): Read {
  try {
    return { when, list: parseShell(text), pipefail, text };
  } catch (error) {
    if (!(error instanceof ShellSyntaxError)) throw error;
    return { reason: error.message, offset: error.offset };
  }
}

/** scriptsOf reads every script of an instruction: its command, or the shell scripts among the files of COPY and ADD. */
export function scriptsOf(instruction: Instruction): Read[] {
  const { keyword, shell: inForce } = instruction;
  if (keyword === 'COPY' || keyword === 'ADD')
    return instruction.files
      .filter(({ body }) => /^#!\s*\S*(?:\/|env\s+)(?:ba|da|a|k|z)?sh\b/.test(body.value))
      .map(({ body }) => read('file', body, false));
  if (!['RUN', 'CMD', 'ENTRYPOINT', 'HEALTHCHECK'].includes(keyword)) return [];
  const when = keyword === 'RUN' ? 'run' : 'start';
  if (instruction.exec) return execScript(when, instruction.words);
  const text = instruction.code;
  if (instruction.type === 'NONE') return [];
  const [command = '', ...options] = inForce;
  const shell = baseName(command);
  if (!shellNames.has(shell) && text.value !== '')
    return [{ reason: `SHELL is ${shell}`, offset: offsetAt(text, 0), shell }];
  const pipefail = options.some((option) => option.includes('pipefail'));
  return [read(when, text, pipefail)];
}

/** `["sh", "-c", "…"]` is shell code; any other array is one command without a shell. */
function execScript(when: Script['when'], words: readonly DockerWord[]): Read[] {
  const [command, ...rest] = words;
  if (command === undefined) return [];
  const flag = rest.findIndex((word) => isShellFlag(word.text.value));
  const code = flag < 0 ? undefined : rest[flag + 1];
  const { text, offset } = command;
  if (shellNames.has(baseName(text.value)) && code !== undefined) {
    const pipefail = rest.slice(0, flag + 1).some((word) => word.text.value.includes('pipefail'));
    return [read(when, code.text, pipefail)];
  }
  const plain = words.map((word) => ({
    value: word.text,
    offset: word.offset,
    quoted: true,
    variables: [],
    scripts: [],
  }));
  const simple = { kind: 'simple' as const, offset, assignments: [], redirects: [], words: plain };
  return [
    { when, list: [{ commands: [simple], negated: false, operator: '' as const, offset }], pipefail: false, text },
  ];
}
