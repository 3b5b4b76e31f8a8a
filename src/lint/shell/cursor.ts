import { offsetAt, type Text, type TextBuilder } from '../../dockerfile/index.ts';

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

/** Cursor is a place in a text: it looks at what stands there and goes on. */
export abstract class Cursor {
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

  protected take(value: TextBuilder): void {
    value.push(this.peek(), offsetAt(this.text, this.pos));
    this.pos += 1;
  }

  /** Runs `read` and keeps what it passed over as it was written. */
  protected keep(value: TextBuilder, read: () => void): void {
    const begin = this.pos;
    read();
    value.copy(this.text, begin, this.pos);
  }
}
