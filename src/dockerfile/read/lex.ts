import { blank, offsetAt, TextBuilder, type Text } from './text.ts';

export interface DockerVariable {
  readonly name: string;
  readonly offset: number;
  /** `:-default`, `:+other`, `:?message` or empty. */
  readonly operation: string;
}

export interface Lexed {
  /** Quotes and escapes removed, variables as they are written. */
  readonly text: Text;
  /** The same split at blanks outside quotes. */
  readonly words: readonly string[];
  readonly variables: readonly DockerVariable[];
  /** Why BuildKit refuses the text; `text` is then all of it as it is written. */
  readonly error?: string | undefined;
}

export interface LexOptions {
  readonly escape: string;
  /** Keep quotes. */
  readonly rawQuotes?: boolean | undefined;
  /** Take any modifier behind a colon. */
  readonly anyOperator?: boolean | undefined;
  /** Keep escape characters. */
  readonly rawEscapes?: boolean | undefined;
}

class LexError extends Error {}

/** A default inside a default inside a default: no real Dockerfile goes on so. */
const maxDepth = 40;

/** Lexer follows BuildKit's shell.Lex for an environment in which nothing is set (frontend/dockerfile/shell/lex.go). */
class Lexer {
  readonly variables: DockerVariable[] = [];
  private readonly source: Text;
  private readonly options: LexOptions;
  private rawEscapes: boolean;
  private pos = 0;
  private depth = 0;
  /** The word being read. BuildKit shares it with nested defaults, which empty it; so do we. */
  private word = '';

  constructor(source: Text, options: LexOptions) {
    this.source = source;
    this.options = options;
    this.rawEscapes = options.rawEscapes === true;
  }

  /** Reads up to `stop`, or to the end without one. */
  until(stop: string | undefined, rawEscapes = this.rawEscapes): { out: TextBuilder; words: string[] } {
    if (++this.depth > maxDepth) throw new LexError('defaults nested too deeply');
    const before = this.rawEscapes;
    this.rawEscapes = rawEscapes;
    const out = new TextBuilder();
    const words: string[] = [];
    this.word = '';
    const flush = (): void => {
      if (this.word !== '') words.push(this.word);
      this.word = '';
    };
    for (let stopped = false; !stopped;) {
      const c = this.peek();
      if (c === '') {
        if (stop !== undefined) throw new LexError(`expected ${stop}, found the end`);
        stopped = true;
      } else if (c === stop) {
        this.pos += 1;
        stopped = true;
      } else if (c === '$') {
        const written = this.dollar(out);
        for (const each of written)
          if (blank.test(each)) flush();
          else this.word += each;
      } else if (c === "'" || c === '"') {
        const begin = out.length;
        if (c === "'") this.single(out);
        else this.double(out);
        this.word += out.since(begin);
      } else if (c === '<') this.angle(out);
      else if (c === this.options.escape) {
        if (this.rawEscapes) this.word += this.take(out);
        else this.pos += 1;
        if (this.peek() !== '') this.word += this.take(out);
      } else {
        this.take(out);
        if (blank.test(c)) flush();
        else this.word += c;
      }
    }
    flush();
    this.rawEscapes = before;
    this.depth -= 1;
    return { out, words };
  }

  private peek(): string {
    return this.source.value.charAt(this.pos);
  }

  private take(out: TextBuilder): string {
    const c = this.peek();
    out.push(c, offsetAt(this.source, this.pos));
    this.pos += 1;
    return c;
  }

  private quote(out: TextBuilder): void {
    if (this.options.rawQuotes === true) this.take(out);
    else this.pos += 1;
  }

  private single(out: TextBuilder): void {
    this.quote(out);
    while (this.peek() !== "'") {
      if (this.peek() === '') throw new LexError("a ' is never closed");
      this.take(out);
    }
    this.quote(out);
  }

  private double(out: TextBuilder): void {
    this.quote(out);
    for (;;) {
      const c = this.peek();
      if (c === '') throw new LexError('a " is never closed');
      if (c === '"') {
        this.quote(out);
        return;
      }
      if (c === '$') this.dollar(out);
      else if (c === this.options.escape) {
        const next = this.source.value.charAt(this.pos + 1);
        if (this.rawEscapes) out.push(c, offsetAt(this.source, this.pos));
        // Before any other character it stands for itself.
        if (next === '' || next === '"' || next === '$' || next === c) this.pos += 1;
        if (next !== '') this.take(out);
      } else this.take(out);
    }
  }

  /** `<<` with the blanks behind it belongs to one word: a here-document. */
  private angle(out: TextBuilder): void {
    this.word += this.take(out);
    if (this.peek() !== '<') return;
    this.word += this.take(out);
    while (/[\t\r ]/.test(this.peek())) this.word += this.take(out);
  }

  private name(out: TextBuilder): string {
    const rest = this.source.value.slice(this.pos, this.pos + 256);
    const name = /^(?:\p{Nd}+|[@*#?\-$!]|[\p{L}\p{Nd}_]+)/u.exec(rest)?.[0] ?? '';
    for (const end = this.pos + name.length; this.pos < end;) this.take(out);
    return name;
  }

  /** Reads a variable, puts it out as it is written and returns that. */
  private dollar(out: TextBuilder): string {
    const from = out.length;
    const offset = offsetAt(this.source, this.pos);
    const place = this.variables.length;
    this.take(out);
    const braced = this.peek() === '{';
    if (braced) this.take(out);
    if (braced && this.peek() === '') throw new LexError('a ${ is never closed');
    if (braced && '{}:'.includes(this.peek())) throw new LexError('bad substitution');
    const name = this.name(out);
    const operationAt = out.length;
    if (braced && this.peek() === '}') this.take(out);
    else if (braced) this.operation(out);
    const operation = braced ? out.since(operationAt).slice(0, -1) : '';
    // Before those of its default.
    if (/^[A-Za-z_]\w*$/.test(name)) this.variables.splice(place, 0, { name, offset, operation });
    return out.since(from);
  }

  /** What stands behind the name, the brace included. */
  private operation(out: TextBuilder): void {
    const colon = this.peek() === ':';
    if (colon) this.take(out);
    const operator = this.peek();
    const strips = operator === '#' || operator === '%';
    const known = operator !== '' && '+-?#%'.includes(operator);
    const replaces = !colon && operator === '/';
    // Where nothing is set, BuildKit looks no closer at what follows a colon.
    const passes = known || (colon && this.options.anyOperator === true && operator !== '');
    if ((!passes && !replaces) || (colon && strips)) throw new LexError(`unsupported modifier ${operator}`);
    this.take(out);
    if (replaces) {
      if (this.peek() === '/') this.take(out);
      out.append(this.pattern(this.until('/', true).out));
      out.push('/', offsetAt(this.source, this.pos - 1));
    }
    const rest = this.until('}', strips || replaces).out;
    out.append(strips ? this.pattern(rest) : rest);
    out.push('}', offsetAt(this.source, this.pos - 1));
  }

  /** In a pattern few characters can be escaped; nothing is matched where nothing is set. */
  private pattern(out: TextBuilder): TextBuilder {
    if (this.options.anyOperator !== true && !/^(?:[^\\]|\\[*?\\}/])*$/.test(out.since(0)))
      throw new LexError('a pattern with an escape that means nothing');
    return out;
  }
}

/** lex removes quotes and escapes as BuildKit does when it fills in variables, and leaves the variables. */
export function lex(text: Text, options: LexOptions): Lexed {
  const lexer = new Lexer(text, options);
  try {
    const { out, words } = lexer.until(undefined);
    return { text: out.build(offsetAt(text, text.value.length)), words, variables: lexer.variables };
  } catch (error) {
    if (!(error instanceof LexError)) throw error;
    return { text, words: [], variables: lexer.variables, error: error.message };
  }
}
