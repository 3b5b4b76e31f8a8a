import type { WindowRule } from '../../core/index.ts';

/** WindowFinder looks for a rule's marker in one file's chunks and keeps what lies from there on. */
export class WindowFinder {
  private readonly rule: WindowRule;
  private readonly size: number;
  private readonly marker: Buffer;
  private state: 'start' | 'search' | 'fill' | 'done' = 'start';
  /** The end of the bytes so far, which the next chunk may complete. */
  private carry: Buffer = Buffer.alloc(0);
  /** Where in the file `carry` begins. */
  private offset = 0;
  private window: Buffer | undefined;
  private filled = 0;

  constructor(rule: WindowRule, size: number) {
    this.rule = rule;
    this.size = size;
    this.marker = Buffer.from(rule.marker);
  }

  /** The bytes from the marker on; undefined when the file has none. Whole when the file has ended. */
  get found(): Buffer | undefined {
    return this.window?.subarray(0, this.filled);
  }

  data(chunk: Buffer): void {
    if (this.state === 'done') return;
    if (this.state === 'fill') {
      this.fill(chunk);
      return;
    }
    const bytes = this.carry.length === 0 ? chunk : Buffer.concat([this.carry, chunk]);
    if (this.state === 'start' && !this.begins(bytes)) return;
    this.search(bytes);
  }

  /** False while too little is there to tell, and for good when the file is another kind. */
  private begins(bytes: Buffer): boolean {
    const { startsWith } = this.rule;
    if (bytes.length < startsWith.length) {
      this.carry = Buffer.from(bytes);
      return false;
    }
    this.state = bytes.subarray(0, startsWith.length).equals(startsWith) ? 'search' : 'done';
    return this.state === 'search';
  }

  private search(bytes: Buffer): void {
    const { align, headBytes, accept, bytes: most } = this.rule;
    const whole = this.marker.length + headBytes;
    let at = bytes.indexOf(this.marker);
    for (; at >= 0; at = bytes.indexOf(this.marker, at + 1)) {
      if (at + whole > bytes.length) break;
      const place = this.offset + at;
      if (place % align !== 0 || !accept(bytes.subarray(at, at + whole))) continue;
      this.window = Buffer.alloc(Math.min(most, this.size - place));
      this.state = 'fill';
      this.carry = Buffer.alloc(0);
      this.fill(bytes.subarray(at));
      return;
    }
    const rest = at >= 0 ? at : Math.max(0, bytes.length - whole + 1);
    this.carry = Buffer.from(bytes.subarray(rest));
    this.offset += rest;
  }

  private fill(chunk: Buffer): void {
    if (this.window === undefined) return;
    this.filled += chunk.copy(this.window, this.filled);
    if (this.filled === this.window.length) this.state = 'done';
  }
}
