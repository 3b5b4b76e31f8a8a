import { bounds } from '../core/deadlines.ts';
import { AppError } from '../errors/index.ts';
import { redactUrl } from './redact.ts';

/** Pages follows the pages of one list, and ends one that would go on for ever. */
export class Pages {
  readonly #what: string;
  readonly #seen = new Set<string>();
  #empty = 0;

  /** `what` is the list, as in "the tags of quay.io/x/y". */
  constructor(what: string, first: string) {
    this.#what = what;
    this.#seen.add(first);
  }

  /** next returns the address of the page after one with `entries` entries, if there is one. Throws `registry/pages`. */
  next(url: string | undefined, entries: number): string | undefined {
    if (url === undefined) return undefined;
    if (this.#seen.has(url)) throw this.#endless('the pages go in circles', 'pages that end', url);
    this.#seen.add(url);
    if (entries === 0) this.#empty += 1;
    if (this.#seen.size > bounds.pages) throw this.#endless('the list does not end', `at most ${bounds.pages} pages`);
    if (this.#empty > bounds.emptyPages)
      throw this.#endless('the list does not end', `at most ${bounds.emptyPages} pages without an entry`);
    return url;
  }

  #endless(says: string, expected: string, url?: string): AppError {
    return new AppError('registry/pages', 'upstream', `${this.#what}: ${says}`, {
      expected,
      found: url === undefined ? `${this.#seen.size - 1} pages, and one more` : `${redactUrl(url)} once more`,
      hint: 'registries do not send such lists: check that the reference names what you mean',
    });
  }
}
