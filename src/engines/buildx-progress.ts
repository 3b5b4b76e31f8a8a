import { parseBuildKitName } from './steps.ts';
import type { Tracker } from './tracker.ts';

const header = /^#(\d+) (.*)$/;

/**
 * BuildxProgress reads `docker buildx build --progress plain`: `#5 [base 2/3] RUN make` (again
 * whenever the display comes back to it), `#5 0.123 output`, `#5 CACHED`, `#5 DONE 0.2s`, `#5 ERROR: …`.
 */
export class BuildxProgress {
  readonly #tracker: Tracker;
  readonly #names = new Map<string, string>();
  #final = '';

  constructor(tracker: Tracker) {
    this.#tracker = tracker;
  }

  line(raw: string): void {
    if (raw.startsWith('ERROR: ')) this.#final = raw.slice('ERROR: '.length);
    const match = header.exec(raw);
    if (match === null) return;
    const [, id = '', rest = ''] = match;
    const name = this.#names.get(id);
    if (name === undefined) {
      this.#names.set(id, rest);
      this.#tracker.start(id, parseBuildKitName(rest));
    } else if (rest !== name) this.#body(id, rest);
  }

  #body(id: string, rest: string): void {
    const done = /^DONE (\d+(?:\.\d+)?)s$/.exec(rest);
    if (done !== null) this.#tracker.end(id, { seconds: Number(done[1]) });
    else if (rest === 'CACHED') this.#tracker.end(id, { cached: true });
    else if (rest === 'CANCELED') return;
    else if (rest.startsWith('ERROR: ')) this.#tracker.end(id, { error: rest.slice('ERROR: '.length) });
    else {
      const output = /^\d+\.\d+ ?(.*)$/.exec(rest);
      if (output !== null) this.#tracker.output(id, `${output[1] ?? ''}\n`);
    }
  }

  /** What buildx said last; empty when it ended without a word. */
  get final(): string {
    return this.#final;
  }
}
