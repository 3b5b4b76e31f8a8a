import type { Piece } from './cut.ts';
import type { Declared, Flag, Instruction } from './model.ts';
import { argumentsOf } from './split.ts';
import { offsetAt, sliceText, trimText, type Text } from './text.ts';
import { literalWord, wordOf, type DockerWord } from './words.ts';

/** Instructions in which Docker fills in variables; a shell does it in the others. */
const literal = new Set(['RUN', 'CMD', 'ENTRYPOINT', 'SHELL', 'HEALTHCHECK', 'MAINTAINER']);

function flagOf(text: Text, escape: string): Flag {
  const equals = text.value.indexOf('=');
  const end = equals < 0 ? text.value.length : equals;
  return { name: text.value.slice(2, end), value: wordOf(sliceText(text, end + 1, text.value.length), escape) };
}

/** declaredIn returns the names that an ARG, ENV or LABEL sets, the old `ENV name value` form included. */
export function declaredIn(piece: Piece, escape: string): Declared[] {
  if (!['ARG', 'ENV', 'LABEL'].includes(piece.keyword)) return [];
  const words = argumentsOf(piece, escape);
  const [first] = words;
  if (first === undefined) return [];
  const pair = (name: Text, value: Text | undefined): Declared => ({
    name: wordOf(name, escape).text.value,
    value: value === undefined ? undefined : wordOf(value, escape),
    offset: offsetAt(name, 0),
  });
  const { rest } = piece;
  if (piece.keyword !== 'ARG' && !first.value.includes('=')) {
    const [name = '', gap = ''] = /^([^\t\v\f\r ]*)([\t\v\f\r ]*)/.exec(rest.value)?.slice(1) ?? [];
    const begin = name.length + gap.length;
    return [pair(sliceText(rest, 0, name.length), gap === '' ? undefined : sliceText(rest, begin, rest.value.length))];
  }
  return words.map((word) => {
    const equals = word.value.indexOf('=');
    if (equals < 0) return pair(word, undefined);
    return pair(sliceText(word, 0, equals), sliceText(word, equals + 1, word.value.length));
  });
}

/** instructionOf reads one instruction: flags, words, here-documents. `shell` is the SHELL in force. */
export function instructionOf(piece: Piece, escape: string, shell: readonly string[]): Instruction {
  const { keyword, onbuild, rest, heredocs, whole, type } = piece;
  let words: DockerWord[] | undefined;
  let declared: Declared[] | undefined;
  let flags: Flag[] | undefined;
  return {
    keyword,
    onbuild,
    type,
    offset: offsetAt(trimText(piece.head), 0),
    firstLine: piece.firstLine,
    lastLine: piece.lastLine,
    written: trimText(whole).value,
    text: rest,
    code: heredocs.length === 0 ? rest : sliceText(whole, whole.offsets.indexOf(offsetAt(rest, 0)), whole.value.length),
    // Split when asked for: a build that changes nothing reads the file, too, and no word of a RUN.
    get flags() {
      return (flags ??= piece.flags.map((text) => flagOf(text, escape)));
    },
    get words() {
      return (words ??= argumentsOf(piece, escape).map((text) =>
        literal.has(keyword) ? literalWord(text) : wordOf(text, escape),
      ));
    },
    get declared() {
      return (declared ??= declaredIn(piece, escape));
    },
    exec: piece.json !== undefined && piece.json !== 'mixed',
    heredocs,
    files: keyword === 'COPY' || keyword === 'ADD' ? heredocs : [],
    shell,
  };
}
