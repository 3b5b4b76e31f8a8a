/**
 * Awaited knows what a process waits for. A process whose event loop runs empty before its command has ended must say
 * what it was waiting for, and by then nothing else knows.
 */
export class Awaited {
  readonly #open = new Set<{ readonly what: string }>();
  #last: string | undefined;

  /** begin notes a request or a process until the function that it returns is called. */
  begin(what: string): () => void {
    const entry = { what };
    this.#open.add(entry);
    return () => {
      if (this.#open.delete(entry)) this.#last = what;
    };
  }

  /** list returns what has not ended; where everything has, the last thing that did. */
  list(): readonly string[] {
    if (this.#open.size > 0) return [...this.#open].map(({ what }) => what);
    return this.#last === undefined ? [] : [`${this.#last} (it has ended)`];
  }
}
