import { joinTexts, textOf, TextBuilder, type Text } from './text.ts';

/** Heredoc is a here-document: the file it names, or the delimiter of a script. */
export interface Heredoc {
  readonly name: string;
  readonly body: Text;
}

/** Piece is one instruction as it stands in the file. */
export interface Piece {
  /** Lines joined where they are continued, comments between them dropped, no here-documents. */
  readonly head: Text;
  /** The head, and behind a line break the here-documents with their delimiters. */
  readonly whole: Text;
  readonly heredocs: readonly Heredoc[];
  /** 1-based. */
  readonly firstLine: number;
  readonly lastLine: number;
}

/** Note is a comment or a directive (`# syntax=…`). */
export interface Note {
  readonly line: number;
  readonly text: string;
  readonly offset: number;
}

export interface Cut {
  readonly escape: string;
  readonly directives: readonly { readonly name: string; readonly value: string; readonly offset: number }[];
  readonly comments: readonly Note[];
  readonly pieces: readonly Piece[];
}

interface Line {
  readonly begin: number;
  /** Without the line break. */
  readonly end: number;
}

function linesOf(source: string): Line[] {
  const lines: Line[] = [];
  // A byte order mark is no part of the first line.
  for (let begin = source.startsWith('\uFEFF') ? 1 : 0; begin < source.length;) {
    const newline = source.indexOf('\n', begin);
    const next = newline < 0 ? source.length : newline;
    lines.push({ begin, end: source.charAt(next - 1) === '\r' && next > begin ? next - 1 : next });
    begin = next + 1;
  }
  return lines;
}

const directive = /^#\s*([a-z][a-z0-9]*)\s*=\s*(.+?)\s*$/i;
const word = /(?:\d*<<-?[ \t]*)?(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\])+/g;
const marker = /^\d*<<(-?)[ \t]*([^<]+)$/;

/** Markers of here-documents: whole words outside quotes, as BuildKit takes them; none where a quote stays open. */
function markersOf(head: string): { name: string; tabs: boolean }[] {
  if (!head.includes('<<') || !/^\s*(?:onbuild\s+)?(?:add|copy|run)\s/i.test(head)) return [];
  if (head.replace(word, '').trim() !== '') return [];
  return [...head.matchAll(word)].flatMap(([text]) => {
    const [, dash, name] = marker.exec(text) ?? [];
    return name === undefined ? [] : [{ name: name.replace(/["'\\]/g, ''), tabs: dash === '-' }];
  });
}

/**
 * cutDockerfile splits a file into instructions as BuildKit does (moby/buildkit, frontend/dockerfile/parser/parser.go).
 * A here-document without an end swallows nothing: what follows is read as instructions.
 */
export function cutDockerfile(source: string): Cut {
  const lines = linesOf(source);
  const textAt = (i: number): string => source.slice(lines[i]?.begin, lines[i]?.end);
  const directives: Cut['directives'][number][] = [];
  let i = 0;
  for (; i < lines.length; i++) {
    const [, name = '', value = ''] = directive.exec(textAt(i)) ?? [];
    if (!/^(?:escape|syntax|check)$/i.test(name)) break;
    directives.push({ name: name.toLowerCase(), value, offset: lines[i]?.begin ?? 0 });
  }
  const escape = directives.find(({ name }) => name === 'escape')?.value === '`' ? '`' : '\\';
  // An escape character behind another one continues nothing.
  const continued = escape === '`' ? /(?:^|[^`])`[ \t]*$/ : /(?:^|[^\\])\\[ \t]*$/;
  const comments: Note[] = [];
  const pieces: Piece[] = [];
  let head = new TextBuilder();
  let first: number | undefined;

  /** Ends the instruction in line `last`, behind its here-documents; returns its last line. */
  const finish = (last: number): number => {
    const end = lines[last]?.end ?? source.length;
    const joined = head.build(end);
    const heredocs: Heredoc[] = [];
    let close = last;
    for (const { name, tabs } of markersOf(joined.value)) {
      const begin = close + 1;
      let at = begin;
      while (at < lines.length && (tabs ? textAt(at).replace(/^\t+/, '') : textAt(at)) !== name) at += 1;
      if (at >= lines.length) break;
      heredocs.push({ name, body: textOf(source, lines[begin]?.begin ?? end, lines[at]?.begin ?? end) });
      close = at;
    }
    const whole = close === last ? joined : joinTexts(joined, textOf(source, end, lines[close]?.end ?? end));
    pieces.push({ head: joined, whole, heredocs, firstLine: (first ?? last) + 1, lastLine: close + 1 });
    head = new TextBuilder();
    first = undefined;
    return close;
  };

  for (; i < lines.length; i++) {
    const text = textAt(i);
    const begin = lines[i]?.begin ?? 0;
    if (/^\s*#/.test(text)) comments.push({ line: i + 1, text, offset: begin + text.indexOf('#') });
    else if (text.trim() !== '') {
      first ??= i;
      const goesOn = continued.test(text);
      head.add(source, begin, begin + (goesOn ? text.trimEnd().length - 1 : text.length));
      if (!goesOn) i = finish(i);
    }
  }
  if (first !== undefined) finish(lines.length - 1);
  return { escape, directives, comments, pieces };
}
