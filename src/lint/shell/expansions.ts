import { offsetAt, TextBuilder, type Text } from '../../dockerfile/index.ts';
import type { List, Variable } from './ast.ts';
import { Cursor } from './cursor.ts';

/** ExpansionReader reads quotes, and what a shell puts in their place: variables, substitutions, arithmetic. */
export abstract class ExpansionReader extends Cursor {
  /** Reads a list up to `)` and leaves `pos` behind it. */
  protected abstract substitution(): List;
  protected abstract parse(text: Text): List;

  /** `$'…'`, with escapes as in C. */
  protected ansi(value: TextBuilder): void {
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

  protected single(value: TextBuilder): void {
    const end = this.text.value.indexOf("'", this.pos + 1);
    if (end < 0) this.fail("a ' is never closed");
    value.copy(this.text, this.pos + 1, end);
    this.pos = end + 1;
  }

  /** Stands behind the opening quote. */
  protected double(value: TextBuilder, variables: Variable[], scripts: List[]): void {
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

  protected expansion(value: TextBuilder, variables: Variable[], scripts: List[], inDouble = false): void {
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
