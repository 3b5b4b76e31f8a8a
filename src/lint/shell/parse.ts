import { offsetAt, type Text } from '../../dockerfile/index.ts';
import type { Assignment, Case, Command, Group, List, Pipeline, Redirect, Simple, Word } from './ast.ts';
import { RedirectReader } from './redirects.ts';
import { dropPrefix, ShellSyntaxError } from './words.ts';

export { ShellSyntaxError };

/**
 * parseShell reads POSIX shell and the parts of bash that Dockerfiles use (`[[ ]]`, `<( )`, `<<<`,
 * `function`, `|&`, `&>`). It does not expand anything: no globs, no brace expansion, no aliases, and
 * arithmetic is skipped. Throws ShellSyntaxError; callers report that as a finding.
 */
export function parseShell(text: Text, depth = 0): List {
  return new ShellReader(text, 0, depth).script();
}

const assignment = /^[A-Za-z_][A-Za-z0-9_]*\+?=/;

class ShellReader extends RedirectReader {
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

  /** The bare word here, when it is a reserved word. */
  private reserved(): string {
    return /^(?:[a-z]+|[{}!]|\[\[)(?=[\s;|&()<>]|$)/.exec(this.text.value.slice(this.pos, this.pos + 16))?.[0] ?? '';
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

  private list(closers: readonly string[] = []): List {
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

  private command(): Command {
    return this.deeper(() => this.anyCommand());
  }

  private anyCommand(): Command {
    const offset = offsetAt(this.text, this.pos);
    if (this.starts('((')) return this.arithmeticCommand(offset);
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
        return this.forLoop(offset);
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

  private expect(what: string): void {
    this.blanks(true);
    if (!this.accept(what)) this.fail(`expected ${JSON.stringify(what)}`);
  }

  /** A list, and behind it the word that closes it. */
  private block(closer: string): List {
    const list = this.list([closer]);
    this.expect(closer);
    return list;
  }

  private group(keyword: Group['keyword'], offset: number, parts: Partial<Group>): Group {
    const nothing = { conditions: [], bodies: [], words: [] };
    return { kind: 'group', keyword, offset, ...nothing, ...parts, redirects: this.redirects() };
  }

  private arithmeticCommand(offset: number): Command {
    const end = this.text.value.indexOf('))', this.pos);
    if (end < 0) this.fail('a (( is never closed');
    this.pos = end + 2;
    return this.group('(', offset, {});
  }

  private conditional(offset: number): Group {
    const conditions: List[] = [];
    const bodies: List[] = [];
    for (let keyword = 'if'; keyword !== 'fi'; keyword = this.reserved()) {
      this.pos += keyword.length;
      if (keyword !== 'else') conditions.push(this.block('then'));
      bodies.push(this.list(['elif', 'else', 'fi']));
      if (!['elif', 'else'].includes(this.reserved())) break;
    }
    this.expect('fi');
    return this.group('if', offset, { conditions, bodies });
  }

  private forLoop(offset: number): Group {
    this.pos += 3;
    this.blanks(false);
    if (this.starts('((')) this.arithmeticCommand(offset);
    const words: Word[] = [];
    for (;;) {
      this.blanks(false);
      const word = this.word();
      if (word === undefined) break;
      words.push(word);
    }
    this.accept(';');
    this.expect('do');
    return this.group('for', offset, { words, bodies: [this.block('done')] });
  }

  private caseCommand(offset: number): Case {
    this.pos += 4;
    this.blanks(false);
    const subject = this.word() ?? this.fail('case without a word');
    this.expect('in');
    const arms: Case['arms'][number][] = [];
    for (;;) {
      this.blanks(true);
      if (this.reserved() === 'esac') break;
      this.accept('(');
      const patterns: Word[] = [];
      do {
        this.blanks(false);
        patterns.push(this.word() ?? this.fail('case arm without a pattern'));
        this.blanks(false);
      } while (this.accept('|'));
      this.expect(')');
      arms.push({ patterns, body: this.list(['esac']) });
      for (const end of [';;&', ';;', ';&']) if (this.accept(end)) break;
    }
    this.expect('esac');
    return { kind: 'case', offset, subject, arms, redirects: this.redirects() };
  }

  private functionBody(offset: number): Group {
    this.blanks(false);
    if (this.accept('(')) this.expect(')');
    this.blanks(true);
    const body = this.command();
    const pipeline: Pipeline = { commands: [body], negated: false, operator: '', offset: body.offset };
    return this.group('function', offset, { bodies: [[pipeline]] });
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
        assignments.push({ name: name.replace(/\+?=$/, ''), value: dropPrefix(word, name.length) });
        continue;
      }
      words.push(word);
      if (inTest && word.value.value === ']]') break;
      if (words.length === 1 && !word.quoted && this.starts('()')) return this.functionBody(offset);
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
