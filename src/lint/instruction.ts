import { joinLines, trimText } from './logical.ts';
import type { Flag, InlineFile, Instruction, Script } from './model.ts';
import { parseShell, ShellSyntaxError } from './shell/parse.ts';
import { offsetAt, sliceText, textOf, type Text } from './text.ts';
import { jsonStrings, splitWords, type DockerWord } from './words.ts';

/** One instruction as dockerfile-ast cut it out of the file; everything is an offset or a 1-based line. */
export interface Piece {
  readonly keyword: string;
  readonly begin: number;
  readonly argumentsBegin: number;
  readonly end: number;
  readonly firstLine: number;
  readonly lastLine: number;
  readonly heredocs: readonly { readonly name: string; readonly begin: number; readonly end: number }[];
}

export interface Context {
  readonly source: string;
  readonly escape: string;
  /** The SHELL in force. */
  shell?: readonly string[] | undefined;
}

const withFlags = new Set(['ADD', 'COPY', 'FROM', 'RUN', 'HEALTHCHECK']);
const withExec = new Set(['ADD', 'COPY', 'RUN', 'CMD', 'ENTRYPOINT', 'SHELL', 'VOLUME', 'HEALTHCHECK']);

function readFlags(text: Text, escape: string): { flags: Flag[]; rest: Text } {
  const flags: Flag[] = [];
  let rest = trimText(text);
  for (;;) {
    const head = /^--([a-z][a-z-]*)(=?)/.exec(rest.value);
    if (head === null) return { flags, rest };
    const [word] = splitWords(rest, escape);
    if (word === undefined) return { flags, rest };
    const length = rest.value.length;
    const raw = rest.offsets.findIndex(
      (offset, i) => i > 0 && /\s/.test(rest.value.charAt(i)) && offset >= offsetAt(word.text, word.text.value.length),
    );
    const value = sliceText(word.text, head[0].length, word.text.value.length);
    flags.push({
      name: head[1] ?? '',
      value: { text: value, offset: offsetAt(value, 0), variables: word.variables },
    });
    rest = trimText(sliceText(rest, raw < 0 ? length : raw, length));
  }
}

/** instructionOf reads one instruction: flags, words, here-documents, shell code. */
export function instructionOf(piece: Piece, context: Context, onbuild: boolean): Instruction {
  const { source, escape } = context;
  const firstBody = piece.heredocs[0]?.begin ?? piece.end;
  const whole = textOf(source, piece.argumentsBegin, piece.end);
  const joined = joinLines(whole, escape, Math.min(firstBody, piece.end) - piece.argumentsBegin);
  // In the joined text the bodies begin behind the first line break that was kept.
  const lineEnd = piece.heredocs.length === 0 ? joined.value.length : joined.offsets.findIndex((at) => at >= firstBody);
  const head = sliceText(joined, 0, lineEnd < 0 ? joined.value.length : lineEnd);
  const { flags, rest } = withFlags.has(piece.keyword) ? readFlags(head, escape) : { flags: [], rest: trimText(head) };
  const strings = withExec.has(piece.keyword) ? jsonStrings(rest) : undefined;
  const words =
    strings?.map((text): DockerWord => ({ text, offset: offsetAt(text, 0), variables: [] })) ??
    splitWords(rest, escape);
  const base = {
    keyword: piece.keyword,
    onbuild,
    offset: piece.begin,
    firstLine: piece.firstLine,
    lastLine: piece.lastLine,
    text: rest,
    flags,
    words,
    exec: strings !== undefined,
    files: filesOf(piece, source),
  };
  const shellText = sliceText(joined, joined.offsets.indexOf(offsetAt(rest, 0)), joined.value.length);
  return { ...base, ...scriptOf(base, shellText, context) };
}

function filesOf(piece: Piece, source: string): InlineFile[] {
  if (piece.keyword !== 'COPY' && piece.keyword !== 'ADD') return [];
  return piece.heredocs.map(({ name, begin, end }) => ({ name, body: textOf(source, begin, Math.max(begin, end)) }));
}

const shells = /^(?:sh|bash|dash|ash|zsh|ksh)$/;

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

type Scripted = Pick<Instruction, 'script' | 'unreadable'>;

function read(when: Script['when'], text: Text, shell: string, pipefail: boolean): Scripted {
  try {
    return { script: { when, list: parseShell(text), shell, pipefail, text } };
  } catch (error) {
    if (!(error instanceof ShellSyntaxError)) throw error;
    return { unreadable: { reason: error.message, offset: error.offset } };
  }
}

function scriptOf(base: Omit<Instruction, 'script' | 'unreadable'>, shellText: Text, context: Context): Scripted {
  const { keyword } = base;
  if (keyword === 'COPY' || keyword === 'ADD') {
    const script = base.files.find((file) => /^#!\s*\S*(?:\/|env\s+)(?:ba|da|a|k|z)?sh\b/.test(file.body.value));
    return script === undefined ? {} : read('file', script.body, 'sh', false);
  }
  if (!['RUN', 'CMD', 'ENTRYPOINT', 'HEALTHCHECK'].includes(keyword)) return {};
  const when = keyword === 'RUN' ? 'run' : 'start';
  if (base.exec) return execScript(when, base.words);
  let text = shellText;
  if (keyword === 'HEALTHCHECK') {
    const match = /^(?:CMD\s+|NONE\s*)/i.exec(text.value);
    text = sliceText(text, match?.[0].length ?? 0, text.value.length);
    const strings = jsonStrings(text);
    if (strings !== undefined)
      return execScript(
        when,
        strings.map((string) => ({ text: string, offset: offsetAt(string, 0), variables: [] })),
      );
  }
  const [command = '/bin/sh', ...options] = context.shell ?? ['/bin/sh', '-c'];
  const shell = baseName(command);
  if (!shells.test(shell)) return {};
  return read(
    when,
    text,
    shell,
    options.some((option) => option.includes('pipefail')),
  );
}

/** `["sh", "-c", "…"]` is shell code; any other array is one command without a shell. */
function execScript(when: Script['when'], words: readonly DockerWord[]): Scripted {
  const [command, ...rest] = words;
  if (command === undefined) return {};
  const shell = baseName(command.text.value);
  const flag = rest.findIndex((word) => /^-[a-z]*c$/.test(word.text.value));
  const code = flag < 0 ? undefined : rest[flag + 1];
  if (shells.test(shell) && code !== undefined) {
    const pipefail = rest.slice(0, flag + 1).some((word) => word.text.value.includes('pipefail'));
    return read(when, code.text, shell, pipefail);
  }
  const list = [
    {
      commands: [
        {
          kind: 'simple' as const,
          offset: command.offset,
          assignments: [],
          redirects: [],
          words: words.map((word) => ({
            value: word.text,
            offset: word.offset,
            quoted: true,
            variables: [],
            scripts: [],
          })),
        },
      ],
      negated: false,
      operator: '' as const,
      offset: command.offset,
    },
  ];
  return { script: { when, list, shell: 'exec', pipefail: false, text: command.text } };
}
