import { offsetAt, type Text } from '../../dockerfile/index.ts';
import type { Assignment, Command, Group, List, Pipeline, Redirect, Simple, Word } from './ast.ts';
import { CompoundReader } from './compound.ts';
import { dropPrefix } from './words.ts';

/**
 * parseShell reads POSIX shell and the parts of bash that Dockerfiles use (`[[ ]]`, `<( )`, `<<<`,
 * arrays, `$'…'`, `function`, `coproc`, `select`, `|&`, `&>`). It does not expand anything: no globs, no brace
 * expansion, no aliases. Throws ShellSyntaxError; callers report that as a finding.
 */
export function parseShell(text: Text, depth = 0): List {
  return new ShellReader(text, 0, depth).script();
}

const assignment = /^[A-Za-z_][A-Za-z0-9_]*(?:\[[^\]]*\])?\+?=/;

class ShellReader extends CompoundReader {
  script(): List {
    const list = this.list();
    if (this.pos < this.text.value.length) this.fail(`unexpected ${JSON.stringify(this.peek())}`);
    this.endHereDocuments();
    return list;
  }

  protected override substitution(): List {
    const inner = new ShellReader(this.text, this.pos, this.depth + 1);
    const list = inner.list();
    if (inner.peek() !== ')') inner.fail('a ( is never closed');
    this.pos = inner.pos + 1;
    return list;
  }

  protected override parse(text: Text): List {
    return parseShell(text, this.depth + 1);
  }

  protected override expand(body: Text): Word {
    const reader = new ShellReader(body, 0, this.depth + 1);
    return { value: body, offset: offsetAt(body, 0), quoted: false, ...reader.expansionsOf(0) };
  }

  private atEnd(closers: readonly string[]): boolean {
    if (this.pos >= this.text.value.length || this.peek() === ')' || this.starts(';;') || this.starts(';&'))
      return true;
    return closers.includes(this.reserved());
  }

  /** Passes what ends a pipeline, and returns how the next one is joined to it; a line break joins as `;` does. */
  private operator(closers: readonly string[]): Pipeline['operator'] {
    for (const operator of ['&&', '||', '&'] as const) if (this.accept(operator)) return operator;
    const ends = this.atEnd(closers);
    if (!ends && !this.accept(';') && this.peek() !== '\n') this.fail(`unexpected ${JSON.stringify(this.peek())}`);
    return ';';
  }

  protected override list(closers: readonly string[] = []): List {
    const pipelines: Pipeline[] = [];
    for (let operator: Pipeline['operator'] = ''; ; operator = this.operator(closers)) {
      this.blanks(true);
      if (this.atEnd(closers)) return pipelines;
      pipelines.push(this.pipeline(operator));
      this.blanks(false);
    }
  }

  private pipeline(operator: Pipeline['operator']): Pipeline {
    const offset = offsetAt(this.text, this.pos);
    let negated = false;
    while (this.reserved() === '!') {
      negated = !negated;
      this.pos += 1;
      this.blanks(false);
    }
    const commands = [this.command()];
    for (;;) {
      this.blanks(false);
      if (this.starts('||') || !this.accept('|')) return { commands, negated, operator, offset };
      this.accept('&');
      this.blanks(true);
      commands.push(this.command());
    }
  }

  protected override command(): Command {
    return this.deeper(() => this.anyCommand());
  }

  private anyCommand(): Command {
    const offset = offsetAt(this.text, this.pos);
    if (this.starts('((')) {
      const found = this.arithmeticCommand(offset);
      if (found !== undefined) return found;
    }
    if (this.accept('(')) return this.group('(', offset, { bodies: [this.block(')')] });
    const keyword = this.reserved();
    switch (keyword) {
      case '{':
        this.pos += 1;
        return this.group(keyword, offset, { bodies: [this.block('}')] });
      case 'if':
        return this.conditional(offset);
      case 'while':
      case 'until':
        this.pos += keyword.length;
        return this.group(keyword, offset, { conditions: [this.block('do')], bodies: [this.block('done')] });
      case 'for':
      case 'select':
        this.pos += keyword.length;
        return this.forLoop(offset);
      case 'coproc':
        this.pos += keyword.length;
        return this.coprocess();
      case 'case':
        return this.caseCommand(offset);
      case 'function':
        this.pos += keyword.length;
        this.blanks(false);
        this.word();
        return this.functionBody(offset);
      default:
        return this.simple(offset);
    }
  }

  private simple(offset: number): Simple | Group {
    const assignments: Assignment[] = [];
    const words: Word[] = [];
    const redirects: Redirect[] = [];
    const inTest = this.reserved() === '[[';
    for (;;) {
      this.blanks(inTest);
      const redirect = inTest ? undefined : this.redirect();
      if (redirect !== undefined) {
        redirects.push(redirect);
        continue;
      }
      const word = this.word(inTest ? '|&<>()' : '');
      if (word === undefined) break;
      const name = words.length === 0 ? this.assigned(word) : undefined;
      if (name !== undefined) {
        assignments.push({ name: name.replace(/(?:\[.*\])?\+?=$/s, ''), value: dropPrefix(word, name.length) });
        continue;
      }
      words.push(word);
      if (inTest && word.value.value === ']]') break;
      if (
        words.length === 1 &&
        !word.quoted &&
        /^[ \t]*\([ \t]*\)/.test(this.text.value.slice(this.pos, this.pos + 64))
      )
        return this.functionBody(offset);
    }
    if (words.length + assignments.length + redirects.length === 0)
      this.fail(`unexpected ${JSON.stringify(this.peek())}`);
    return { kind: 'simple', offset, assignments, words, redirects };
  }

  /** `NAME=` when the word begins with it, unquoted. */
  private assigned(word: Word): string | undefined {
    const match = assignment.exec(word.value.value)?.[0];
    // A quote inside the name shifts the offsets; then it is no assignment.
    if (match === undefined || offsetAt(word.value, match.length - 1) !== word.offset + match.length - 1)
      return undefined;
    return match;
  }
}
