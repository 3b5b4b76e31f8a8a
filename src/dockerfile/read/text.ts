/**
 * Text is a string that remembers where each of its characters stands in the Dockerfile: joining
 * continued lines, dropping comments and removing quotes keep line and column exact.
 */
export interface Text {
  readonly value: string;
  /** Source offset of each character; one more than `value.length`, the last one marks the end. */
  readonly offsets: readonly number[];
}

/** What Go's unicode.IsSpace takes for a blank; JavaScript's \s differs in U+0085 and U+FEFF. */
export const blank = /[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

export function textOf(source: string, from: number, to: number): Text {
  const offsets: number[] = [];
  for (let i = from; i <= to; i++) offsets.push(i);
  return { value: source.slice(from, to), offsets };
}

export function sliceText(text: Text, from: number, to: number): Text {
  return { value: text.value.slice(from, to), offsets: text.offsets.slice(from, to + 1) };
}

/** joinTexts returns `a` with `b` behind it. */
export function joinTexts(a: Text, b: Text): Text {
  return { value: a.value + b.value, offsets: [...a.offsets.slice(0, -1), ...b.offsets] };
}

/** trimText drops blanks on both sides. */
export function trimText(text: Text): Text {
  let from = 0;
  let to = text.value.length;
  while (from < to && blank.test(text.value.charAt(from))) from += 1;
  while (to > from && blank.test(text.value.charAt(to - 1))) to -= 1;
  return sliceText(text, from, to);
}

/** offsetAt returns the source offset of character `i`, clamped to the text. */
export function offsetAt(text: Text, i: number): number {
  return text.offsets[Math.min(i, text.offsets.length - 1)] ?? 0;
}

/** TextBuilder collects characters of one Text into another. */
export class TextBuilder {
  private readonly characters: string[] = [];
  private readonly offsets: number[] = [];

  push(character: string, offset: number): void {
    this.characters.push(character);
    this.offsets.push(offset);
  }

  /** Characters `from` up to `to` of `text`, as they are. */
  copy(text: Text, from: number, to: number): void {
    for (let i = from; i < to; i++) this.push(text.value.charAt(i), offsetAt(text, i));
  }

  /** Characters `from` up to `to` of the Dockerfile itself. */
  add(source: string, from: number, to: number): void {
    for (let i = from; i < to; i++) this.push(source.charAt(i), i);
  }

  get length(): number {
    return this.characters.length;
  }

  /** The characters from number `from` on. */
  since(from: number): string {
    return this.characters.slice(from).join('');
  }

  append(other: TextBuilder): void {
    for (const [i, character] of other.characters.entries()) this.push(character, other.offsets[i] ?? 0);
  }

  build(end: number): Text {
    return { value: this.characters.join(''), offsets: [...this.offsets, end] };
  }
}

export interface Position {
  /** 1-based. */
  readonly line: number;
  readonly column: number;
}

/** lineIndex returns positions of offsets in `source` by binary search over line starts. */
export function lineIndex(source: string): (offset: number) => Position {
  const starts = [0];
  for (let i = source.indexOf('\n'); i >= 0; i = source.indexOf('\n', i + 1)) starts.push(i + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}
