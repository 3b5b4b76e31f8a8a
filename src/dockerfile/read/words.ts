import { lex, type DockerVariable } from './lex.ts';
import { blank, offsetAt, sliceText, TextBuilder, trimText, type Text } from './text.ts';

/** A word of a Dockerfile instruction: quotes removed, `$variables` as written. */
export interface DockerWord {
  readonly text: Text;
  readonly offset: number;
  readonly variables: readonly DockerVariable[];
  /** Why BuildKit refuses the word. */
  readonly error?: string | undefined;
}

/** wordOf removes the quotes of one argument, as BuildKit does when it fills in variables. */
export function wordOf(text: Text, escape: string): DockerWord {
  const { text: value, variables, error } = lex(text, { escape });
  return { text: value, offset: offsetAt(text, 0), variables, error };
}

/** literalWord takes an argument in which nothing is filled in. */
export function literalWord(text: Text): DockerWord {
  return { text, offset: offsetAt(text, 0), variables: [] };
}

/** splitBlanks splits at blanks, also inside quotes, as FROM, EXPOSE, COPY, ADD and VOLUME do. */
export function splitBlanks(text: Text): Text[] {
  return [...text.value.matchAll(/[^\t\v\f\r ]+/g)].map(({ 0: word, index }) =>
    sliceText(text, index, index + word.length),
  );
}

/** splitQuoted splits at blanks outside quotes, which it keeps, as ARG, ENV and LABEL do. */
export function splitQuoted(text: Text, escape: string): Text[] {
  const words: Text[] = [];
  const { value } = text;
  let begin = -1;
  let quote = '';
  for (let i = 0; i < value.length; i++) {
    const c = value.charAt(i);
    if (quote === '' && blank.test(c)) {
      if (begin >= 0) words.push(sliceText(text, begin, i));
      begin = -1;
      continue;
    }
    if (begin < 0) begin = i;
    if (c === escape && quote !== "'") {
      // At the end it is dropped.
      if (i + 1 === value.length) {
        if (begin < i) words.push(sliceText(text, begin, i));
        return words;
      }
      i += 1;
    } else if (quote === '' ? c === "'" || c === '"' : c === quote) quote = quote === '' ? c : '';
  }
  if (begin >= 0) words.push(sliceText(text, begin, value.length));
  return words;
}

/** takeFlags takes the words with `--` from the front, without their quotes, and returns them with what is left. */
export function takeFlags(text: Text, escape: string): { flags: Text[]; rest: Text } {
  const flags: Text[] = [];
  const { value } = text;
  let i = 0;
  for (;;) {
    while (i < value.length && blank.test(value.charAt(i))) i += 1;
    if (!value.startsWith('--', i)) break;
    const out = new TextBuilder();
    let quote = '';
    for (; i < value.length; i++) {
      const c = value.charAt(i);
      if (quote === '' && blank.test(c)) break;
      if (quote === '' ? c === "'" || c === '"' : c === quote) quote = quote === '' ? c : '';
      else {
        if (c === escape) i += 1;
        if (i < value.length) out.push(value.charAt(i), offsetAt(text, i));
      }
    }
    const flag = out.build(offsetAt(text, i));
    if (flag.value === '--') break;
    flags.push(flag);
  }
  return { flags, rest: trimText(sliceText(text, i, value.length)) };
}

/** What an instruction that takes a JSON array has: its strings, something else in JSON, or no JSON. */
export type JsonArray = readonly Text[] | 'mixed' | undefined;

/** jsonArray reads the exec form, each string with its place. */
export function jsonArray(text: Text): JsonArray {
  const trimmed = text.value.trim();
  if (!trimmed.startsWith('[')) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(trimmed);
  } catch {
    return undefined;
  }
  if (!Array.isArray(parsed)) return undefined;
  if (!parsed.every((item) => typeof item === 'string')) return 'mixed';
  const strings: Text[] = [];
  for (const match of text.value.matchAll(/"((?:[^"\\]|\\.)*)"/g)) {
    const out = new TextBuilder();
    const begin = match.index + 1;
    const raw = match[1] ?? '';
    for (const piece of raw.matchAll(/\\u[0-9a-fA-F]{4}|\\.|[^\\]/gs)) {
      const character = piece[0].startsWith('\\') ? (JSON.parse(`"${piece[0]}"`) as string) : piece[0];
      out.push(character, offsetAt(text, begin + piece.index));
    }
    strings.push(out.build(offsetAt(text, begin + raw.length)));
  }
  return strings;
}
