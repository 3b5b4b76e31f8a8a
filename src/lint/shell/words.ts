import { offsetAt, sliceText, TextBuilder } from '../../dockerfile/index.ts';
import type { List, Variable, Word } from './ast.ts';
import { ExpansionReader } from './expansions.ts';

/** WordReader reads words of POSIX shell and bash, with quotes, escapes and expansions. */
export abstract class WordReader extends ExpansionReader {
  /** Passes blanks, comments and line breaks. */
  protected abstract blanks(lines: boolean): void;

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
}

/** dropPrefix returns the word without its first `length` characters, for `NAME=value` and `--flag=value`. */
export function dropPrefix(word: Word, length: number): Word {
  const value = sliceText(word.value, length, word.value.value.length);
  return { ...word, value, offset: offsetAt(value, 0) };
}
