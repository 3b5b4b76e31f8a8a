import { offsetAt, sliceText, TextBuilder, type Text } from '../../dockerfile/index.ts';
import type { List, Variable, Word } from './ast.ts';

/** ShellSyntaxError: the text is not shell that this reader knows. */
export class ShellSyntaxError extends Error {
  override readonly name = 'ShellSyntaxError';
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** No real Dockerfile nests substitutions deeper than this. */
const maxDepth = 40;

/** WordReader reads words of POSIX shell and bash, with quotes, escapes and expansions. */
export abstract class WordReader {
  protected readonly text: Text;
  protected readonly depth: number;
  protected pos: number;
  private nesting = 0;

  constructor(text: Text, pos: number, depth: number) {
    this.text = text;
    this.pos = pos;
    this.depth = depth;
    if (depth > maxDepth) this.fail('substitutions nested too deeply');
  }

  /** Reads a list up to `)` and leaves `pos` behind it. */
  protected abstract substitution(): List;
  protected abstract parse(text: Text): List;

  /** Runs `read` one level deeper: hostile text must end in an error, not in an exhausted stack. */
  protected deeper<T>(read: () => T): T {
    this.nesting += 1;
    if (this.nesting > maxDepth) this.fail('nested too deeply');
    const result = read();
    this.nesting -= 1;
    return result;
  }

  protected peek(ahead = 0): string {
    return this.text.value.charAt(this.pos + ahead);
  }

  protected starts(what: string): boolean {
    return this.text.value.startsWith(what, this.pos);
  }

  /** Passes `what` where it stands here. */
  protected accept(what: string): boolean {
    if (!this.starts(what)) return false;
    this.pos += what.length;
    return true;
  }

  protected fail(message: string): never {
    throw new ShellSyntaxError(message, offsetAt(this.text, this.pos));
  }

  /** A word, or undefined when none begins here. `plain` are extra characters that end no word (inside `[[`). */
  protected word(plain = ''): Word | undefined {
    const begin = this.pos;
    const value = new TextBuilder();
    const variables: Variable[] = [];
    const scripts: List[] = [];
    let quoted = false;
    while (this.pos < this.text.value.length) {
      const c = this.peek();
      if ((c === '<' || c === '>') && this.peek(1) === '(') {
        this.keep(value, () => {
          this.pos += 2;
          scripts.push(this.substitution());
        });
        continue;
      }
      if (' \t\r\n'.includes(c) || (';|&()<>'.includes(c) && !plain.includes(c))) break;
      if (c === "'") {
        quoted = true;
        this.single(value);
      } else if (c === '"') {
        quoted = true;
        this.pos += 1;
        this.double(value, variables, scripts);
      } else if (c === '\\') {
        quoted = true;
        if (this.peek(1) !== '\n') value.push(this.peek(1), offsetAt(this.text, this.pos + 1));
        this.pos += 2;
      } else if (c === '$' && (this.peek(1) === "'" || this.peek(1) === '"')) {
        this.pos += 1;
      } else if (c === '$' || c === '`') this.expansion(value, variables, scripts);
      else this.take(value);
    }
    if (this.pos === begin) return undefined;
    return {
      value: value.build(offsetAt(this.text, this.pos)),
      offset: offsetAt(this.text, begin),
      quoted,
      variables,
      scripts,
    };
  }

  private take(value: TextBuilder): void {
    value.push(this.peek(), offsetAt(this.text, this.pos));
    this.pos += 1;
  }

  /** Runs `read` and keeps what it passed over as it was written. */
  private keep(value: TextBuilder, read: () => void): void {
    const begin = this.pos;
    read();
    value.copy(this.text, begin, this.pos);
  }

  private single(value: TextBuilder): void {
    const end = this.text.value.indexOf("'", this.pos + 1);
    if (end < 0) this.fail("a ' is never closed");
    value.copy(this.text, this.pos + 1, end);
    this.pos = end + 1;
  }

  /** Stands behind the opening quote. */
  private double(value: TextBuilder, variables: Variable[], scripts: List[]): void {
    for (;;) {
      if (this.pos >= this.text.value.length) this.fail('a " is never closed');
      const c = this.peek();
      if (c === '"') {
        this.pos += 1;
        return;
      }
      if (c === '\\' && '$`"\\\n'.includes(this.peek(1))) {
        if (this.peek(1) !== '\n') value.push(this.peek(1), offsetAt(this.text, this.pos + 1));
        this.pos += 2;
      } else if (c === '$' || c === '`') this.expansion(value, variables, scripts);
      else this.take(value);
    }
  }

  private expansion(value: TextBuilder, variables: Variable[], scripts: List[]): void {
    const offset = offsetAt(this.text, this.pos);
    if (this.peek() === '`') {
      this.keep(value, () => scripts.push(this.backquoted()));
    } else if (this.starts('$((')) {
      this.keep(value, () => {
        this.arithmetic();
      });
    } else if (this.starts('$(')) {
      this.keep(value, () => {
        this.pos += 2;
        scripts.push(this.substitution());
      });
    } else if (this.starts('${')) {
      this.keep(value, () => {
        this.deeper(() => {
          this.braced(offset, variables, scripts);
        });
      });
    } else {
      const name = /^\$([A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-])/.exec(
        this.text.value.slice(this.pos, this.pos + 256),
      )?.[1];
      if (name === undefined) this.take(value);
      else {
        variables.push({ name, offset, operation: '' });
        this.keep(value, () => {
          this.pos += 1 + name.length;
        });
      }
    }
  }

  private braced(offset: number, variables: Variable[], scripts: List[]): void {
    const head = /^\$\{([#!]?)([A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-])?/.exec(
      this.text.value.slice(this.pos, this.pos + 256),
    );
    this.pos += head?.[0].length ?? 2;
    const operationAt = this.pos;
    const ignored = new TextBuilder();
    for (;;) {
      if (this.pos >= this.text.value.length) this.fail('a ${ is never closed');
      const c = this.peek();
      if (c === '}') break;
      if (c === '\\') this.pos += 2;
      else if (c === "'") this.single(ignored);
      else if (c === '"') {
        this.pos += 1;
        this.double(ignored, variables, scripts);
      } else if (c === '$' || c === '`') this.expansion(ignored, variables, scripts);
      else this.pos += 1;
    }
    const operation = this.text.value.slice(operationAt, this.pos);
    this.pos += 1;
    if (head?.[2] !== undefined) variables.push({ name: head[2], offset, operation });
  }

  private arithmetic(): void {
    let open = 0;
    for (; this.pos < this.text.value.length; this.pos++) {
      if (this.peek() === '(') open += 1;
      if (this.peek() === ')' && --open === 0) {
        this.pos += 1;
        return;
      }
    }
    this.fail('a $(( is never closed');
  }

  private backquoted(): List {
    const inner = new TextBuilder();
    for (this.pos += 1; this.pos < this.text.value.length; this.pos++) {
      if (this.peek() === '`') {
        const list = this.parse(inner.build(offsetAt(this.text, this.pos)));
        this.pos += 1;
        return list;
      }
      if (this.peek() === '\\' && '`\\$'.includes(this.peek(1))) this.pos += 1;
      inner.push(this.peek(), offsetAt(this.text, this.pos));
    }
    return this.fail('a ` is never closed');
  }
}

/** dropPrefix returns the word without its first `length` characters, for `NAME=value` and `--flag=value`. */
export function dropPrefix(word: Word, length: number): Word {
  const value = sliceText(word.value, length, word.value.value.length);
  return { ...word, value, offset: offsetAt(value, 0) };
}
