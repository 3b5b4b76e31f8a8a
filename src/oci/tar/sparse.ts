import { tarError } from './entry.ts';
import { decimal } from './number.ts';

const zeros = Buffer.alloc(1024 * 1024);
/** Upper limit of the map of format 1.0: 30,000 fragments. Go has none. */
const maxMapBytes = 1024 * 1024;

/**
 * SparseFile expands the content of one file in GNU's PAX sparse formats 0.0, 0.1 and 1.0, which Go's
 * archive/tar expands, and so every engine: holes read as zeros. Throws `oci/tar-sparse` where Go refuses.
 */
export class SparseFile {
  /** Of the expanded file, in bytes. */
  readonly size: number;
  readonly name: string | undefined;
  private readonly emit: (chunk: Buffer) => void;
  /** The map of format 1.0, which precedes the content; undefined once it was read. */
  private head: Buffer | undefined;
  private headBytes = 0;
  private lines = 0;
  private wantedLines = 1;
  private fragments: readonly { readonly offset: number; readonly length: number }[] = [];
  private next = 0;
  private inFragment = 0;
  private position = 0;

  constructor(records: ReadonlyMap<string, string>, size: number, emit: (chunk: Buffer) => void) {
    this.emit = emit;
    this.name = records.get('GNU.sparse.name');
    const stated = records.get('GNU.sparse.size') ?? '';
    const real = stated === '' ? (records.get('GNU.sparse.realsize') ?? '') : stated;
    this.size = real === '' ? size : this.number(real);
    if (records.get('GNU.sparse.major') === '1') {
      this.head = Buffer.alloc(Math.min(size, maxMapBytes));
      return;
    }
    const map = records.get('GNU.sparse.map') ?? '';
    const numbers = map === '' ? [] : map.split(',');
    const count = this.number(records.get('GNU.sparse.numblocks') ?? '');
    if (numbers.length !== 2 * count) throw this.malformed();
    this.take(numbers);
  }

  /** isSparse is Go's answer to whether PAX records make a file sparse; unknown versions do not. */
  static isSparse(records: ReadonlyMap<string, string>): boolean {
    const major = records.get('GNU.sparse.major') ?? '';
    const minor = records.get('GNU.sparse.minor') ?? '';
    if (major === '' && minor === '') return (records.get('GNU.sparse.map') ?? '') !== '';
    return (major === '0' && (minor === '0' || minor === '1')) || (major === '1' && minor === '0');
  }

  private malformed(): Error {
    return tarError('sparse', 'a sparse file whose map does not fit its content', this.name);
  }

  private number(text: string): number {
    const value = decimal(text);
    if (value === undefined || value < 0 || !Number.isSafeInteger(value)) throw this.malformed();
    return value;
  }

  private take(numbers: readonly string[]): void {
    const fragments: { offset: number; length: number }[] = [];
    let end = 0;
    for (let at = 0; at < numbers.length; at += 2) {
      const [offset, length] = [this.number(numbers[at] ?? ''), this.number(numbers[at + 1] ?? '')];
      if (offset < end || offset + length > this.size) throw this.malformed();
      end = offset + length;
      fragments.push({ offset, length });
    }
    this.fragments = fragments;
    this.head = undefined;
  }

  write(chunk: Buffer): void {
    let rest = this.head === undefined ? chunk : this.readMap(this.head, chunk);
    while (rest.length > 0) {
      const fragment = this.fragments[this.next];
      if (fragment === undefined) throw this.malformed();
      this.hole(fragment.offset);
      const part = rest.subarray(0, fragment.length - this.inFragment);
      if (part.length > 0) this.emit(part);
      this.position += part.length;
      this.inFragment += part.length;
      rest = rest.subarray(part.length);
      if (this.inFragment < fragment.length) continue;
      this.next++;
      this.inFragment = 0;
    }
  }

  /** The map is lines of decimals, their number first, padded to whole blocks; returns what follows it. */
  private readMap(head: Buffer, chunk: Buffer): Buffer {
    for (const [index, byte] of chunk.entries()) {
      if (this.headBytes === head.length) throw this.malformed();
      head[this.headBytes++] = byte;
      if (byte === 10 && ++this.lines === 1) {
        this.wantedLines = 1 + 2 * this.number(head.toString('latin1', 0, this.headBytes - 1));
      }
      if (this.lines < this.wantedLines || this.headBytes % 512 !== 0) continue;
      this.take(head.toString('latin1', 0, this.headBytes).split('\n').slice(1, this.wantedLines));
      return chunk.subarray(index + 1);
    }
    return Buffer.alloc(0);
  }

  private hole(until: number): void {
    while (this.position < until) {
      const length = Math.min(zeros.length, until - this.position);
      this.emit(zeros.subarray(0, length));
      this.position += length;
    }
  }

  /** After the last byte of content: the hole at the end. */
  end(): void {
    while (this.fragments[this.next]?.length === this.inFragment) this.next++;
    if (this.head !== undefined || this.next < this.fragments.length) throw this.malformed();
    this.hole(this.size);
  }
}
