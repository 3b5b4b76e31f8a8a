import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import type { ClientRequest, IncomingMessage } from 'node:http';

/** Bytes of an answer that are kept to say what it was. A refusal is read no further. */
const maxKept = 16 * 1024;

/** Exchange is one request and what came back. */
export interface Exchange {
  /** Without the query, which may hold secrets. */
  readonly url: string;
  status?: number | undefined;
  headers: ReadonlyMap<string, string>;
  /** The first bytes of the answer. */
  kept: Buffer;
  /** What the network threw. */
  error?: Error | undefined;
}

const isSuccess = (status: number): boolean => status >= 200 && status <= 299;
const isRedirect = (status: number): boolean => status >= 300 && status <= 399;

const doors = new AsyncLocalStorage<Door>();

// Node reports every request of node:http and node:https here, whichever package makes it.
subscribe('http.client.request.created', (message) => {
  doors.getStore()?.watch((message as { readonly request: ClientRequest }).request);
});

/**
 * Door bounds every HTTP request that one piece of work makes, whichever package makes it: an answer has an upper
 * limit in bytes, arrives as it is (a compressed one could unpack to any size), redirects are not followed (the body
 * of a request may hold the identity token), and everything ends with the signal.
 */
export class Door {
  readonly #limit: number;
  readonly #signal: AbortSignal;
  #closed: Error | undefined;
  /** The latest exchange; undefined while there was none. */
  last: Exchange | undefined;
  /** Why an answer was not read to its end. */
  refusal: string | undefined;

  constructor(limit: number, signal: AbortSignal) {
    this.#limit = limit;
    this.#signal = signal;
  }

  /** run does the work behind this door. Throws what the work throws, and the signal's reason as soon as it aborts. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const signal = this.#signal;
    signal.throwIfAborted();
    let stop: (() => void) | undefined;
    const aborted = new Promise<never>((_resolve, reject) => {
      stop = () => {
        reject(reasonOf(signal));
      };
      signal.addEventListener('abort', stop, { once: true });
    });
    try {
      return await Promise.race([doors.run(this, work), aborted]);
    } finally {
      if (stop !== undefined) signal.removeEventListener('abort', stop);
      this.#closed ??= new Error('the call is over');
    }
  }

  watch(request: ClientRequest): void {
    if (this.#closed !== undefined) {
      request.destroy(this.#closed);
      return;
    }
    const { pathname, origin } = new URL(request.path, `${request.protocol}//${String(request.getHeader('host'))}`);
    const exchange: Exchange = { url: `${origin}${pathname}`, headers: new Map(), kept: Buffer.alloc(0) };
    this.last = exchange;
    request.setHeader('accept-encoding', 'identity');
    const abort = (): void => void request.destroy(reasonOf(this.#signal));
    this.#signal.addEventListener('abort', abort, { once: true });
    request.once('close', () => {
      this.#signal.removeEventListener('abort', abort);
    });
    request.on('error', (error) => {
      exchange.error ??= error;
    });
    request.once('response', (response) => {
      this.#receive(exchange, response);
    });
  }

  #receive(exchange: Exchange, response: IncomingMessage): void {
    const { statusCode: status = 0, headers } = response;
    exchange.status = status;
    exchange.headers = new Map(
      Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
    );
    response.on('error', (error) => {
      exchange.error ??= error;
    });
    if (isRedirect(status)) {
      this.#closed = new Error('redirects are not followed');
      response.destroy(this.#closed);
      return;
    }
    const limit = isSuccess(status) ? this.#limit : maxKept;
    const refuse = (found: string): void => {
      if (isSuccess(status)) this.refusal ??= found;
      response.destroy(new Error(found));
    };
    const announced = Number(headers['content-length'] ?? 0);
    if (announced > limit) refuse(`${announced} bytes announced`);
    if ((headers['content-encoding'] ?? 'identity') !== 'identity')
      refuse(`one in ${headers['content-encoding'] ?? ''}`);
    let size = 0;
    // Where the parser hands over the bytes: counting them here leaves the reader alone.
    const push = response.push.bind(response);
    response.push = (chunk: unknown, encoding) => {
      if (Buffer.isBuffer(chunk)) {
        size += chunk.length;
        if (exchange.kept.length < maxKept) exchange.kept = Buffer.concat([exchange.kept, chunk]).subarray(0, maxKept);
        if (size > limit) refuse(`more than ${limit} bytes`);
      }
      return push(chunk, encoding);
    };
  }
}

function reasonOf({ reason }: AbortSignal): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
