/** Nodes per page: columns grow page by page, so that growing never copies what is there. */
const pageBits = 16;
const pageSize = 1 << pageBits;
const mask = pageSize - 1;

type Numbers = Uint8Array | Uint16Array | Uint32Array;

/** Column is a growing array of small unsigned numbers: a few bytes each where objects take a hundred. */
export class Column {
  private readonly pages: Numbers[] = [];
  private readonly make: (length: number) => Numbers;

  constructor(bits: 8 | 16 | 32) {
    this.make = (length) =>
      bits === 8 ? new Uint8Array(length) : bits === 16 ? new Uint16Array(length) : new Uint32Array(length);
  }

  get(index: number): number {
    return this.pages[index >>> pageBits]?.[index & mask] ?? 0;
  }

  set(index: number, value: number): void {
    const page = index >>> pageBits;
    let numbers = this.pages[page];
    if (numbers === undefined) {
      numbers = this.make(pageSize);
      this.pages[page] = numbers;
    }
    numbers[index & mask] = value;
  }
}

const bytesPage = 1 << 20;

/** Bytes keeps short strings of bytes (latin1), each within one page, and returns where it lies. */
export class Bytes {
  private readonly pages: Buffer[] = [];
  private used = bytesPage;
  private total = 0;

  /** Bytes kept so far. */
  get size(): number {
    return this.total;
  }

  add(text: string): number {
    if (this.used + text.length > bytesPage) {
      this.pages.push(Buffer.alloc(bytesPage));
      this.used = 0;
    }
    const page = this.pages.length - 1;
    const at = page * bytesPage + this.used;
    this.pages[page]?.write(text, this.used, 'latin1');
    this.used += text.length;
    this.total += text.length;
    return at;
  }

  get(at: number, length: number): string {
    const start = at & (bytesPage - 1);
    return this.pages[at >>> 20]?.toString('latin1', start, start + length) ?? '';
  }

  equals(at: number, text: string): boolean {
    const page = this.pages[at >>> 20];
    const start = at & (bytesPage - 1);
    for (let index = 0; index < text.length; index++) {
      if (page?.[start + index] !== text.charCodeAt(index)) return false;
    }
    return true;
  }
}
