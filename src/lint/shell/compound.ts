import { sliceText } from '../../dockerfile/index.ts';
import type { Case, Command, Group, List, Pipeline, Variable, Word } from './ast.ts';
import { RedirectReader } from './redirects.ts';

const compound = new Set(['{', 'if', 'while', 'until', 'for', 'select', 'case']);

/** CompoundReader reads commands that hold others: loops, conditions, groups, functions, `case`. */
export abstract class CompoundReader extends RedirectReader {
  /** Reads pipelines up to the end, a `)`, or one of these reserved words. */
  protected abstract list(closers?: readonly string[]): List;
  protected abstract command(): Command;

  /** The bare word here, when it is a reserved word. */
  protected reserved(): string {
    return /^(?:[a-z]+|[{}!]|\[\[)(?=[\s;|&()<>]|$)/.exec(this.text.value.slice(this.pos, this.pos + 16))?.[0] ?? '';
  }

  private expect(what: string): void {
    this.blanks(true);
    if (!this.accept(what)) this.fail(`expected ${JSON.stringify(what)}`);
  }

  /** A list, and behind it the word that closes it. */
  protected block(closer: string): List {
    const list = this.list([closer]);
    this.expect(closer);
    return list;
  }

  protected group(keyword: Group['keyword'], offset: number, parts: Partial<Group>): Group {
    const nothing = { conditions: [], bodies: [], words: [] };
    return { kind: 'group', keyword, offset, ...nothing, ...parts, redirects: this.redirects() };
  }

  /** `((…))`; undefined where it is a subshell in a subshell. */
  protected arithmeticCommand(offset: number): Command | undefined {
    const word = { value: sliceText(this.text, this.pos, this.pos), offset, quoted: false };
    const variables: Variable[] = [];
    const scripts: List[] = [];
    if (!this.arithmetic(variables, scripts)) return undefined;
    return this.group('(', offset, { words: [{ ...word, variables, scripts }] });
  }

  /** `coproc [NAME] command`: a name stands before a compound command only. */
  protected coprocess(): Command {
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

  protected conditional(offset: number): Group {
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

  protected forLoop(offset: number): Group {
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

  protected caseCommand(offset: number): Case {
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

  protected functionBody(offset: number): Group {
    this.blanks(false);
    if (this.accept('(')) this.expect(')');
    this.blanks(true);
    const body = this.command();
    const pipeline: Pipeline = { commands: [body], negated: false, operator: '', offset: body.offset };
    return this.group('function', offset, { bodies: [[pipeline]] });
  }
}
