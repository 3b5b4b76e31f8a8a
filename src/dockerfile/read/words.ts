import { offsetAt, TextBuilder, type Text } from './text.ts';

/** A word of a Dockerfile instruction: quotes removed, `$variables` as written. */
export interface DockerWord {
  readonly text: Text;
  readonly offset: number;
  readonly variables: readonly DockerVariable[];
}

export interface DockerVariable {
  readonly name: string;
  readonly offset: number;
  /** `:-default`, `:+other`, `:?message` or empty. */
  readonly operation: string;
}

const variable = /\$(?:\{([A-Za-z_][A-Za-z0-9_]*)((?:[:#%/+?-][^}]{0,500})?)\}|([A-Za-z_][A-Za-z0-9_]*))/y;

/**
 * splitWords splits as Dockerfile instructions other than RUN do: at blanks outside quotes, with the
 * file's escape character (https://docs.docker.com/reference/dockerfile/#environment-replacement).
 */
export function splitWords(text: Text, escape: string): DockerWord[] {
  const words: DockerWord[] = [];
  let i = 0;
  while (i < text.value.length) {
    if (/\s/.test(text.value.charAt(i))) i += 1;
    else {
      const { word, end } = readWord(text, i, escape);
      words.push(word);
      i = end;
    }
  }
  return words;
}

/** wordOf reads the whole text as one word, as COPY does with each string of a JSON array. */
export function wordOf(text: Text, escape: string): DockerWord {
  return readWord(text, 0, escape, false).word;
}

export function readWord(text: Text, begin: number, escape: string, split = true): { word: DockerWord; end: number } {
  const value = new TextBuilder();
  const variables: DockerVariable[] = [];
  let quote = '';
  let i = begin;
  for (; i < text.value.length; i++) {
    const c = text.value.charAt(i);
    if (split && quote === '' && /\s/.test(c)) break;
    if (c === escape && quote !== "'" && i + 1 < text.value.length) {
      i += 1;
      value.push(text.value.charAt(i), offsetAt(text, i));
    } else if (quote === '' ? c === '"' || c === "'" : c === quote) quote = quote === '' ? c : '';
    else if (c === '$' && quote !== "'") {
      variable.lastIndex = i;
      const match = variable.exec(text.value);
      const name = match?.[1] ?? match?.[3];
      if (match === null || name === undefined) value.push(c, offsetAt(text, i));
      else {
        variables.push({ name, offset: offsetAt(text, i), operation: match[2] ?? '' });
        value.copy(text, i, i + match[0].length);
        i += match[0].length - 1;
      }
    } else value.push(c, offsetAt(text, i));
  }
  return { word: { text: value.build(offsetAt(text, i)), offset: offsetAt(text, begin), variables }, end: i };
}

/** jsonStrings returns the strings of a JSON array (exec form) with their places; undefined for anything else. */
export function jsonStrings(text: Text): Text[] | undefined {
  const trimmed = text.value.trim();
  if (!trimmed.startsWith('[')) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(trimmed);
  } catch {
    return undefined;
  }
  if (!Array.isArray(parsed) || !parsed.every((item) => typeof item === 'string')) return undefined;
  const strings: Text[] = [];
  const pattern = /"((?:[^"\\]|\\.)*)"/g;
  for (const match of text.value.matchAll(pattern)) {
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
