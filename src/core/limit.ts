/** What the limiter needs of a clock. */
interface Clock {
  now(): Date;
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/** Limiter bounds the requests under way to one host, and holds all of them when the host asks for a pause. */
export class Limiter {
  readonly #limit: number;
  readonly #clock: Clock;
  #active = 0;
  #pausedUntil = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(limit: number, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
  }

  /** pause keeps new requests back for `milliseconds` from now. */
  pause(milliseconds: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, this.#clock.now().getTime() + milliseconds);
  }

  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (this.#active >= this.#limit) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#active += 1;
    try {
      const left = this.#pausedUntil - this.#clock.now().getTime();
      if (left > 0) await this.#clock.sleep(left, signal);
      return await work();
    } finally {
      // The place is handed on as it is, so that a newcomer cannot slip in between.
      const next = this.#waiting.shift();
      if (next === undefined) this.#active -= 1;
      else next();
    }
  }
}

/** eachLimited runs `work` over all items, at most `limit` at once, and stops starting new ones after a failure. */
export async function eachLimited<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  let failed = false;
  const lane = async (): Promise<void> => {
    while (next < items.length && !failed) {
      const item = items[next] as T;
      next += 1;
      try {
        await work(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const lanes = Array.from({ length: Math.min(limit, items.length) }, lane);
  // All lanes end before the error is thrown: no work goes on after the caller has it.
  const results = await Promise.allSettled(lanes);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** mapLimited is eachLimited with results, in the items' order. */
export async function mapLimited<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results = new Map<number, R>();
  await eachLimited([...items.entries()], limit, async ([at, item]) => void results.set(at, await work(item)));
  return items.map((_item, at) => results.get(at) as R);
}
