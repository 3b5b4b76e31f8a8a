import { lex, type LexOptions } from './lex.ts';
import { textOf, type Text } from './text.ts';

/** Marker is a `<<NAME` in an instruction. */
export interface Marker {
  readonly name: string;
  /** Tabs in front of lines are dropped: `<<-`. */
  readonly tabs: boolean;
  /** The name is not quoted: variables in the body are filled in. */
  readonly expand: boolean;
}

/** Heredoc is a here-document: the file it names, or the delimiter of a script. */
export interface Heredoc extends Marker {
  readonly body: Text;
}

const shape = /^\d*<<(-?)[\t\n\f\r ]*([^<]*)$/;
const quotes = (text: string): number => text.split(/['"]/).length - 1;

/** BuildKit reads markers with a backslash, whatever the file's escape character. */
const options: LexOptions = { escape: '\\', anyOperator: true };

/** markerOf reads one word, quotes and escapes still in it. */
export function markerOf(word: string): Marker | undefined {
  const [, dash, rest = ''] = shape.exec(word) ?? [];
  if (dash === undefined || rest === '') return undefined;
  const text = textOf(rest, 0, rest.length);
  const words = lex(text, options).words;
  const raw = lex(text, { ...options, rawQuotes: true }).words;
  const [name, ...more] = words;
  if (name === undefined || more.length > 0 || raw.length !== 1) return undefined;
  return { name, tabs: dash === '-', expand: quotes(name) === quotes(raw[0] ?? '') };
}

/** markersIn returns the markers of a whole instruction: words outside quotes; none where a quote stays open. */
export function markersIn(line: Text): Marker[] {
  if (!line.value.includes('<<')) return [];
  const { words } = lex(line, { ...options, rawQuotes: true, rawEscapes: true });
  return words.flatMap((word) => markerOf(word) ?? []);
}
