import type { ClientRequest, IncomingMessage } from 'node:http';
import { deadlines } from '../core/deadlines.ts';

export interface TimeLimits {
  /** Milliseconds in which nothing is sent until the answer's headers are there; what comes before them is no answer. */
  readonly headersTimeout: number;
  /** In each stretch of so many milliseconds a body must move by `pace` bytes, while the other side is waited for. */
  readonly stretch: number;
  readonly pace: number;
  /** Milliseconds for all of it, until the last byte of the answer. */
  readonly total: number;
}

/** How often in a timeout the connection is looked at: it ends an exchange at most a quarter too late. */
const looks = 4;

const late = (code: string, message: string): Error => Object.assign(new Error(message), { code });

/** Progress measures the time, in milliseconds, in which fewer than `enough` bytes moved. */
class Progress {
  readonly #enough: number;
  #from = 0;
  #time = 0;

  constructor(enough: number) {
    this.#enough = enough;
  }

  restart(bytes: number): void {
    this.#from = bytes;
    this.#time = 0;
  }

  since(bytes: number, milliseconds: number): { readonly time: number; readonly moved: number } {
    this.#time += milliseconds;
    if (bytes < this.#from || bytes - this.#from >= this.#enough) this.restart(bytes);
    return { time: this.#time, moved: bytes - this.#from };
  }
}

type Phase = 'queued' | 'sending' | 'answering' | 'reading';

function phaseOf(request: ClientRequest, answer: IncomingMessage | undefined): Phase {
  if (request.socket === null) return 'queued';
  if (answer !== undefined) return 'reading';
  return request.writableFinished ? 'answering' : 'sending';
}

/**
 * watch ends an exchange in which nothing moves (ETIMEDOUT), too little does (ETOOSLOW), or that is not over in time
 * (ETOOLONG). Until the headers are there only what is sent counts: a server can send 1xx answers for ever.
 * Returns what ends the watch.
 */
export function watch(
  request: ClientRequest,
  answer: () => IncomingMessage | undefined,
  { headersTimeout, stretch, pace, total }: TimeLimits,
  fail: (error: Error) => void,
): () => void {
  const look = Math.min(headersTimeout, stretch) / looks;
  const any = new Progress(1);
  const enough = new Progress(pace);
  let before: Phase = 'queued';
  const check = (): void => {
    const response = answer();
    const phase = phaseOf(request, response);
    const bytes = (phase === 'reading' ? request.socket?.bytesRead : request.socket?.bytesWritten) ?? 0;
    // A reader that has not yet taken what is there is no fault of the server.
    const readerWaits = response === undefined || response.readableLength === 0;
    if (phase !== before || !readerWaits) for (const progress of [any, enough]) progress.restart(bytes);
    // Nor is a sender whose source is slow; but one that stands still holds the server's time.
    if (phase !== 'reading' && request.writableLength === 0) enough.restart(bytes);
    before = phase;
    const still = any.since(bytes, look).time;
    const slow = enough.since(bytes, look);
    const limit = { queued: deadlines.queue, sending: headersTimeout, answering: headersTimeout, reading: stretch }[
      phase
    ];
    if (still >= limit) fail(late('ETIMEDOUT', `nothing came for ${limit / 1000} s`));
    else if (slow.time >= stretch) fail(late('ETOOSLOW', `only ${slow.moved} bytes moved in ${stretch / 1000} s`));
  };
  const timer = setInterval(check, look);
  const end = setTimeout(() => {
    fail(late('ETOOLONG', `it was not over after ${total / 1000} s`));
  }, total);
  return () => {
    clearInterval(timer);
    clearTimeout(end);
  };
}
