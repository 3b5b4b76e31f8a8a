import { sliceText, type Text } from '../../dockerfile/index.ts';
import type { Redirect, Word } from './ast.ts';
import { WordReader } from './words.ts';

const operators = /^(?:[0-9]*)(&>>|&>|<<<|<<-|<<|<>|<&|>>|>&|>\||>|<)/;

/** A redirection whose body is read later. */
interface Body {
  body?: Text | undefined;
  expanded?: Word | undefined;
}

/** RedirectReader adds what stands between words: blanks, comments, redirections, here-documents. */
export abstract class RedirectReader extends WordReader {
  private pending: { redirect: Body; delimiter: Word; tabs: boolean }[] = [];

  /** Reads the body of a here-document whose delimiter is not quoted. */
  protected abstract expand(body: Text): Word;

  /** Passes blanks and comments; with `lines` also line breaks. */
  protected override blanks(lines: boolean): void {
    for (; this.pos < this.text.value.length; this.pos++) {
      const c = this.peek();
      if (c === '\\' && (this.peek(1) === '\n' || this.starts('\\\r\n'))) this.pos += 1;
      else if (c === '#') {
        const end = this.text.value.indexOf('\n', this.pos);
        this.pos = (end < 0 ? this.text.value.length : end) - 1;
      } else if (c === '\n') {
        if (!lines) return;
        this.hereDocuments();
      } else if (c !== ' ' && c !== '\t' && c !== '\r') return;
    }
  }

  /** Stands on the line break after which the bodies of pending here-documents begin. */
  private hereDocuments(): void {
    for (const { redirect, delimiter, tabs } of this.pending.splice(0)) {
      const begin = this.pos + 1;
      let at = begin;
      for (;;) {
        const newline = this.text.value.indexOf('\n', at);
        const end = newline < 0 ? this.text.value.length : newline;
        const line = this.text.value.slice(at, end).replace(/\r$/, '');
        if ((tabs ? line.replace(/^\t+/, '') : line) === delimiter.value.value) {
          redirect.body = sliceText(this.text, begin, Math.max(begin, at));
          if (!delimiter.quoted) redirect.expanded = this.expand(redirect.body);
          this.pos = newline < 0 ? end - 1 : end;
          break;
        }
        if (newline < 0) this.fail(`the here-document ${delimiter.value.value} never ends`);
        at = newline + 1;
      }
    }
  }

  /** Fails where the text ended before the body of a here-document began. */
  protected endHereDocuments(): void {
    const [one] = this.pending;
    if (one !== undefined) this.fail(`the here-document ${one.delimiter.value.value} never ends`);
  }

  protected redirects(): Redirect[] {
    const found: Redirect[] = [];
    for (;;) {
      this.blanks(false);
      const redirect = this.redirect();
      if (redirect === undefined) return found;
      found.push(redirect);
    }
  }

  protected redirect(): Redirect | undefined {
    if (this.peek(1) === '(' && '<>'.includes(this.peek())) return undefined;
    const match = operators.exec(this.text.value.slice(this.pos, this.pos + 32));
    const operator = match?.[1];
    if (match === null || operator === undefined) return undefined;
    this.pos += match[0].length;
    this.blanks(false);
    const target = this.word() ?? this.fail(`${operator} without a target`);
    const redirect: Body & { operator: string; target: Word } = { operator, target };
    if (operator === '<<' || operator === '<<-')
      this.pending.push({ redirect, delimiter: target, tabs: operator === '<<-' });
    return redirect;
  }
}
