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
  /** Passes blanks, comments and line breaks. */
  protected abstract blanks(lines: boolean): void;

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
      if (c === '(' && !plain.includes(c) && this.pos > begin && this.opensInWord(value, quoted)) {
        this.keep(value, () => {
          this.array(variables, scripts);
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
      } else if (c === '$' && this.peek(1) === "'") {
        quoted = true;
        this.ansi(value);
      } else if (c === '$' && this.peek(1) === '"') {
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

  /** The `(` here goes on with the word: an array behind `name=`, or a pattern of bash behind one of `?*+@!`. */
  private opensInWord(value: TextBuilder, quoted: boolean): boolean {
    if (!quoted && /^[A-Za-z_]\w*(?:\[[^\]]*\])?\+?=$/.test(value.since(0))) return true;
    return '?*+@!'.includes(this.text.value.charAt(this.pos - 1));
  }

  /** The elements of an array, or the alternatives of a pattern. */
  private array(variables: Variable[], scripts: List[]): void {
    this.deeper(() => {
      this.pos += 1;
      for (;;) {
        this.blanks(true);
        const word = this.word('|&;<>');
        if (word === undefined) break;
        variables.push(...word.variables);
        scripts.push(...word.scripts);
      }
      if (!this.accept(')')) this.fail('a ( is never closed');
    });
  }

  /** `$'…'`, with escapes as in C. */
  private ansi(value: TextBuilder): void {
    for (this.pos += 2; this.peek() !== "'";) {
      const escape = /^\\(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|([0-7]{1,3})|(.))/s.exec(
        this.text.value.slice(this.pos, this.pos + 8),
      );
      if (this.pos >= this.text.value.length) this.fail("a ' is never closed");
      if (escape === null) {
        this.take(value);
        continue;
      }
      const [all, hex, unicode, octal, letter = ''] = escape;
      const code = hex ?? unicode ?? octal;
      const named: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', e: '\u001b', a: '\u0007' };
      const character =
        code === undefined
          ? (named[letter] ?? letter)
          : String.fromCharCode(parseInt(code, octal === undefined ? 16 : 8));
      value.push(character, offsetAt(this.text, this.pos));
      this.pos += all.length;
    }
    this.pos += 1;
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
      } else if (c === '$' || c === '`') this.expansion(value, variables, scripts, true);
      else this.take(value);
    }
  }

  private expansion(value: TextBuilder, variables: Variable[], scripts: List[], inDouble = false): void {
    const offset = offsetAt(this.text, this.pos);
    if (this.peek() === '`') {
      this.keep(value, () => scripts.push(this.backquoted()));
    } else if (this.starts('$((')) {
      this.keep(value, () => {
        if (this.arithmetic(variables, scripts)) return;
        this.pos += 2;
        scripts.push(this.substitution());
      });
    } else if (this.starts('$(')) {
      this.keep(value, () => {
        this.pos += 2;
        scripts.push(this.substitution());
      });
    } else if (this.starts('${')) {
      this.keep(value, () => {
        this.deeper(() => {
          this.braced(offset, variables, scripts, inDouble);
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

  private braced(offset: number, variables: Variable[], scripts: List[], inDouble: boolean): void {
    const head = /^\$\{([#!]?)([A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-])?/.exec(
      this.text.value.slice(this.pos, this.pos + 256),
    );
    this.pos += head?.[0].length ?? 2;
    const operationAt = this.pos;
    const ignored = new TextBuilder();
    // In double quotes a ' of a default is a character like others.
    const isPlain = inDouble && /^:?[-+?=]/.test(this.text.value.slice(this.pos, this.pos + 2));
    for (;;) {
      if (this.pos >= this.text.value.length) this.fail('a ${ is never closed');
      const c = this.peek();
      if (c === '}') break;
      if (c === '\\') this.pos += 2;
      else if (c === "'" && !isPlain) this.single(ignored);
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

  /** `((…))` or `$((…))` from here; false, with nothing read, where it is a subshell in a subshell. */
  protected arithmetic(variables: Variable[], scripts: List[]): boolean {
    const begin = this.pos;
    const before = [variables.length, scripts.length] as const;
    const ignored = new TextBuilder();
    let open = 0;
    if (this.peek() === '$') this.pos += 1;
    while (this.pos < this.text.value.length) {
      const c = this.peek();
      if (c === '\\') this.pos += 2;
      else if (c === '"') this.pos += 1;
      else if (c === '$' || c === '`') this.expansion(ignored, variables, scripts);
      else {
        if (c === '(') open += 1;
        if (c === ')') open -= 1;
        this.pos += 1;
        if (c === ')' && open === 0) return true;
        if (c === ')' && open === 1 && this.peek() !== ')') {
          this.pos = begin;
          variables.length = before[0];
          scripts.length = before[1];
          return false;
        }
      }
    }
    this.pos = begin;
    return this.fail('a (( is never closed');
  }

  /** What a here-document without quotes runs and reads. */
  protected expansionsOf(begin: number): { variables: Variable[]; scripts: List[] } {
    const variables: Variable[] = [];
    const scripts: List[] = [];
    const ignored = new TextBuilder();
    for (this.pos = begin; this.pos < this.text.value.length;) {
      const c = this.peek();
      if (c === '\\') this.pos += 2;
      else if (c === '$' || c === '`') this.expansion(ignored, variables, scripts, true);
      else this.pos += 1;
    }
    return { variables, scripts };
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
