const longest = 1024 * 1024;

/**
 * Lines splits a byte stream that arrives in pieces into lines; `\r` redraws count as lines too. An endless
 * line is cut at 1 MiB, so that it does not become endless memory.
 */
export class Lines {
  #rest = '';
  readonly #decoder = new TextDecoder();

  /** push returns the lines that the piece completes. */
  push(bytes: Uint8Array | string): string[] {
    this.#rest += typeof bytes === 'string' ? bytes : this.#decoder.decode(bytes, { stream: true });
    const parts = this.#rest.split(/\r\n|\n|\r(?!$)/);
    this.#rest = parts.pop() ?? '';
    if (this.#rest.length > longest) {
      parts.push(this.#rest.slice(0, longest));
      this.#rest = '';
    }
    return parts;
  }

  /** end returns the last line when it came without its end. */
  end(): string[] {
    const last = this.#rest + this.#decoder.decode();
    this.#rest = '';
    return last === '' ? [] : [last.replace(/\r$/, '')];
  }
}
