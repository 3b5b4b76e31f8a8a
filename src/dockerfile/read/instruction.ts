import type { Piece } from './cut.ts';
import type { Flag, Instruction } from './model.ts';
import { offsetAt, sliceText, trimText, type Text } from './text.ts';
import { jsonStrings, readWord, splitWords, wordOf, type DockerWord } from './words.ts';

const withFlags = new Set(['ADD', 'COPY', 'FROM', 'RUN', 'HEALTHCHECK']);
/** Instructions that take a JSON array, and those of them whose strings Docker expands. */
const withJson = new Set(['ADD', 'COPY', 'VOLUME', 'RUN', 'CMD', 'ENTRYPOINT', 'SHELL', 'HEALTHCHECK']);
const expanded = new Set(['ADD', 'COPY', 'VOLUME']);

function readFlags(text: Text, escape: string): { flags: Flag[]; rest: Text } {
  const flags: Flag[] = [];
  let rest = trimText(text);
  for (;;) {
    const [head, name = ''] = /^--([a-z][a-z-]*)=?/.exec(rest.value) ?? [];
    if (head === undefined) return { flags, rest };
    const { word, end } = readWord(rest, 0, escape);
    const value = sliceText(word.text, head.length, word.text.value.length);
    flags.push({ name, value: { text: value, offset: offsetAt(value, 0), variables: word.variables } });
    rest = trimText(sliceText(rest, end, rest.value.length));
  }
}

/** The first word of the text in upper case, and what stands behind it. */
function keywordOf(text: Text): { keyword: string; rest: Text } {
  const trimmed = trimText(text);
  const [keyword = ''] = /^\S+/.exec(trimmed.value) ?? [];
  return { keyword: keyword.toUpperCase(), rest: sliceText(trimmed, keyword.length, trimmed.value.length) };
}

/** instructionOf reads one instruction: flags, words, here-documents. `shell` is the SHELL in force. */
export function instructionOf(piece: Piece, escape: string, shell: readonly string[]): Instruction {
  const outer = keywordOf(piece.head);
  const onbuild = outer.keyword === 'ONBUILD';
  const inner = onbuild ? keywordOf(outer.rest) : outer;
  // A bare ONBUILD, and one in another, stay ONBUILD: no instruction.
  const keyword = inner.keyword === '' ? outer.keyword : inner.keyword;
  const { flags, rest } = withFlags.has(keyword)
    ? readFlags(inner.rest, escape)
    : { flags: [], rest: trimText(inner.rest) };
  const strings = withJson.has(keyword) ? jsonStrings(rest) : undefined;
  const literal = (text: Text): DockerWord => ({ text, offset: offsetAt(text, 0), variables: [] });
  const from = (text: Text): Text =>
    sliceText(piece.whole, piece.whole.offsets.indexOf(offsetAt(text, 0)), piece.whole.value.length);
  const split = (): DockerWord[] =>
    strings === undefined
      ? splitWords(rest, escape)
      : strings.map((text) => (expanded.has(keyword) ? wordOf(text, escape) : literal(text)));
  let words: DockerWord[] | undefined;
  return {
    keyword,
    onbuild,
    offset: offsetAt(trimText(piece.head), 0),
    firstLine: piece.firstLine,
    lastLine: piece.lastLine,
    written: trimText(piece.whole).value,
    text: rest,
    code: from(rest),
    flags,
    // Split when asked for: a build that changes nothing reads the file, too, and no word of a RUN.
    get words() {
      return (words ??= split());
    },
    exec: strings !== undefined,
    files: keyword === 'COPY' || keyword === 'ADD' ? piece.heredocs : [],
    shell,
  };
}
