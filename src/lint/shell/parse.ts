import { offsetAt, sliceText, type Text } from '../../dockerfile/index.ts';
import type { Assignment, Case, Command, Group, List, Pipeline, Redirect, Simple, Variable, Word } from './ast.ts';
import { RedirectReader } from './redirects.ts';
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
const compound = new Set(['{', 'if', 'while', 'until', 'for', 'select', 'case']);

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

  protected override expand(body: Text): Word {
    const reader = new ShellReader(body, 0, this.depth + 1);
    return { value: body, offset: offsetAt(body, 0), quoted: false, ...reader.expansionsOf(0) };
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

  /** `((…))`; undefined where it is a subshell in a subshell. */
  private arithmeticCommand(offset: number): Command | undefined {
    const word = { value: sliceText(this.text, this.pos, this.pos), offset, quoted: false };
    const variables: Variable[] = [];
    const scripts: List[] = [];
    if (!this.arithmetic(variables, scripts)) return undefined;
    return this.group('(', offset, { words: [{ ...word, variables, scripts }] });
  }

  /** `coproc [NAME] command`: a name stands before a compound command only. */
  private coprocess(): Command {
    this.blanks(false);
    const begin = this.pos;
    const starts = (): boolean => this.peek() === '(' || compound.has(this.reserved());
    if (!starts()) {
      this.word();
      this.blanks(false);
      if (!starts()) this.pos = begin;
    }
    return this.command();
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
    this.blanks(false);
    const counter = this.starts('((') ? this.arithmeticCommand(offset) : undefined;
    const words: Word[] = counter?.kind === 'group' ? [...counter.words] : [];
    while (counter === undefined) {
      this.blanks(false);
      const word = this.word();
      if (word === undefined) break;
      words.push(word);
    }
    this.accept(';');
    this.blanks(true);
    const closer = this.reserved() === '{' ? '}' : 'done';
    this.expect(closer === '}' ? '{' : 'do');
    return this.group('for', offset, { words, bodies: [this.block(closer)] });
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
