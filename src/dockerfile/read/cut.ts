import { directiveIn, syntaxOf, type Directive } from './directives.ts';
import { markersIn, type Heredoc } from './heredocs.ts';
import { splitInstruction, type Split } from './split.ts';
import { blank, joinTexts, textOf, TextBuilder, type Text } from './text.ts';

/** Piece is one instruction as it stands in the file. */
export interface Piece extends Split {
  /** Lines joined where they are continued, comments between them dropped, no here-documents. */
  readonly head: Text;
  /** The head, and behind a line break the here-documents with their delimiters. */
  readonly whole: Text;
  readonly heredocs: readonly Heredoc[];
  /** 1-based. */
  readonly firstLine: number;
  readonly lastLine: number;
}

/** Note is a comment. */
export interface Note {
  readonly line: number;
  readonly text: string;
  readonly offset: number;
}

/** Refusal is a place for which BuildKit refuses the file. */
export interface Refusal {
  readonly offset: number;
  readonly message: string;
}

export interface Cut {
  readonly escape: string;
  readonly directives: readonly Directive[];
  readonly comments: readonly Note[];
  readonly pieces: readonly Piece[];
  readonly refusals: readonly Refusal[];
}

interface Line {
  readonly begin: number;
  /** Without the line break. */
  readonly end: number;
}

/** BuildKit's scanner takes no longer line, in bytes, the line break included. */
const longestLine = 65_536;

function linesOf(source: string, refusals: Refusal[]): Line[] {
  const lines: Line[] = [];
  // A byte order mark is no part of the first line.
  for (let begin = source.startsWith('\uFEFF') ? 1 : 0; begin < source.length;) {
    const newline = source.indexOf('\n', begin);
    const next = newline < 0 ? source.length : newline;
    let end = next;
    while (end > begin && source.charAt(end - 1) === '\r') end -= 1;
    if (next - begin >= longestLine / 4 && Buffer.byteLength(source.slice(begin, next)) >= longestLine)
      refusals.push({ offset: begin, message: `expected lines below ${longestLine} bytes, found a longer one` });
    lines.push({ begin, end });
    begin = next + 1;
  }
  return lines;
}

function indentOf(line: string): number {
  let i = 0;
  while (i < line.length && blank.test(line.charAt(i))) i += 1;
  return i;
}

class Cutter implements Cut {
  escape = '\\';
  readonly directives: Directive[] = [];
  readonly comments: Note[] = [];
  readonly pieces: Piece[] = [];
  readonly refusals: Refusal[] = [];
  private readonly source: string;
  private readonly lines: readonly Line[];
  private directivesDone = false;

  constructor(source: string) {
    this.source = source;
    this.lines = linesOf(source, this.refusals);
    for (let i = 0; i < this.lines.length;) i = this.logicalLine(i);
    // The frontend may be named where the instructions' reader sees a comment, and not where that sees a directive.
    const syntax = syntaxOf(source);
    const others = this.directives.filter(({ name }) => name !== 'syntax');
    this.directives.splice(0, Infinity, ...(syntax === undefined ? [] : [syntax]), ...others);
  }

  private textAt(i: number): string {
    return this.source.slice(this.lines[i]?.begin, this.lines[i]?.end);
  }

  private refuse(line: number, message: string): void {
    this.refusals.push({ offset: this.lines[line]?.begin ?? 0, message });
  }

  /** Reads what begins in line `first`, and returns the line behind it. */
  private logicalLine(first: number): number {
    const text = this.textAt(first);
    const begin = this.lines[first]?.begin ?? 0;
    const indent = indentOf(text);
    if (text.charAt(indent) === '#') {
      if (!this.directive(text.slice(indent), first)) this.comment(first, text);
      return first + 1;
    }
    this.directivesDone = true;
    if (indent === text.length) return first + 1;
    const head = new TextBuilder();
    let goesOn = this.add(head, begin + indent, text.slice(indent));
    let next = first + 1;
    for (; goesOn && next < this.lines.length; next++) {
      const more = this.textAt(next);
      const from = this.lines[next]?.begin ?? 0;
      const ink = indentOf(more);
      if (more.charAt(ink) === '#') this.comment(next, more);
      else if (ink < more.length) goesOn = this.add(head, from, more);
    }
    return this.finish(head, first, next - 1) + 1;
  }

  private comment(line: number, text: string): void {
    this.comments.push({ line: line + 1, text, offset: (this.lines[line]?.begin ?? 0) + text.indexOf('#') });
  }

  private directive(text: string, line: number): boolean {
    const found = this.directivesDone ? undefined : directiveIn(text);
    if (found === undefined) {
      this.directivesDone = true;
      return false;
    }
    if (this.directives.some(({ name }) => name === found.name))
      this.refuse(line, `expected one directive ${found.name}, found another`);
    else if (found.name === 'escape' && found.value !== '\\' && found.value !== '`')
      this.refuse(line, `expected \\ or \` as escape character, found ${JSON.stringify(found.value.slice(0, 20))}`);
    else {
      if (found.name === 'escape') this.escape = found.value;
      this.directives.push({ ...found, offset: this.lines[line]?.begin ?? 0 });
    }
    return true;
  }

  /** Adds a line, and returns whether the next one continues it: an escape character behind another does not. */
  private add(head: TextBuilder, begin: number, text: string): boolean {
    const end = text.replace(/[ \t]+$/, '').length - 1;
    const goesOn = end >= 0 && text.charAt(end) === this.escape && text.charAt(end - 1) !== this.escape;
    head.add(this.source, begin, begin + (goesOn ? end : text.length));
    return goesOn;
  }

  /** Ends the instruction in line `last`, behind its here-documents; returns its last line. */
  private finish(builder: TextBuilder, first: number, last: number): number {
    const { source, lines } = this;
    const end = lines[last]?.end ?? source.length;
    const head = builder.build(end);
    const split = splitInstruction(head, this.escape);
    const heredocs: Heredoc[] = [];
    let close = last;
    for (const marker of split.takesHeredocs ? markersIn(head) : []) {
      const from = close + 1;
      let at = from;
      const ends = (line: string): boolean => (marker.tabs ? line.replace(/^\t+/, '') : line) === marker.name;
      while (at < lines.length && !ends(this.textAt(at))) at += 1;
      if (at >= lines.length) {
        // It swallows nothing: what follows is read as instructions.
        this.refuse(first, `expected ${JSON.stringify(marker.name.slice(0, 40))} to end the here-document, found none`);
        break;
      }
      heredocs.push({ ...marker, body: textOf(source, lines[from]?.begin ?? end, lines[at]?.begin ?? end) });
      close = at;
    }
    const whole = close === last ? head : joinTexts(head, textOf(source, end, lines[close]?.end ?? end));
    this.pieces.push({ ...split, head, whole, heredocs, firstLine: first + 1, lastLine: close + 1 });
    return close;
  }
}

/**
 * cutDockerfile splits a file into instructions as BuildKit does (moby/buildkit, frontend/dockerfile/parser/parser.go),
 * and goes on where BuildKit stops.
 */
export function cutDockerfile(source: string): Cut {
  return new Cutter(source);
}
