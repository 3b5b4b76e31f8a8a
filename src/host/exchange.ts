import { setMaxListeners } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { finished, Readable } from 'node:stream';
import { filePieces } from './file-part.ts';
import type { FetchOptions } from './types.ts';
import { watch, type TimeLimits } from './watch.ts';

export interface ExchangeOptions extends TimeLimits {
  readonly body: FetchOptions['body'];
  /** Any of them ends the exchange, also while the answer's body is read. */
  readonly signals: readonly AbortSignal[];
}

/**
 * exchange sends a request and returns its answer as soon as the headers are there. What happens to the connection
 * afterwards is reported by the answer's body. An upload that is answered before its end stops, and so does its
 * connection: what a server answers then is a refusal. Throws what the body, the network or the signal threw.
 */
export function exchange(request: ClientRequest, options: ExchangeOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { body, signals } = options;
    let answer: IncomingMessage | undefined;
    const fail = (error: Error): void => {
      // It still has an answer to give, which its reader must not take for whole.
      (answer ?? request).destroy(error);
      reject(error);
    };
    const forgets = signals.map((signal) => listen(signal, fail));
    const endWatch = watch(request, () => answer, options, fail);
    request.on('error', fail);
    request.once('close', () => {
      endWatch();
      for (const forget of forgets) forget();
      if (body instanceof Readable) body.destroy();
      reject(Object.assign(new Error('the connection was closed before an answer'), { code: 'ECONNRESET' }));
    });
    request.once('response', (response) => {
      answer = response;
      // A reader that destroys the body early has said that it does not want its errors either.
      response.on('error', () => undefined);
      if (!request.writableEnded) response.once('close', () => request.destroy());
      resolve(response);
    });
    send(request, body, () => answer !== undefined).catch(fail);
  });
}

/** listen listens to a signal until the function that it returns is called. */
function listen(signal: AbortSignal, fail: (error: Error) => void): () => void {
  const abort = (): void => {
    fail(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
  };
  // A caller's signal may end many requests at once: that is no leak.
  setMaxListeners(0, signal);
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  return () => {
    signal.removeEventListener('abort', abort);
  };
}

async function send(request: ClientRequest, body: FetchOptions['body'], answered: () => boolean): Promise<void> {
  if (body instanceof Readable) {
    await pipe(body, request);
  } else if (typeof body === 'object' && 'path' in body) {
    for await (const piece of filePieces(body)) {
      await written(request, piece);
      if (answered() || request.destroyed) return;
    }
    request.end();
  } else {
    request.end(body);
  }
}

/** A piece is written when the kernel has it: its buffer is used again then. */
const written = (request: ClientRequest, piece: Uint8Array): Promise<void> =>
  new Promise((resolve) => {
    // The request's own error says what went wrong.
    request.once('close', resolve);
    request.write(piece, () => {
      request.off('close', resolve);
      resolve();
    });
  });

const pipe = (body: Readable, request: ClientRequest): Promise<void> =>
  new Promise((resolve, reject) => {
    // A body that is closed already emits nothing any more; a request that is over needs no more of it.
    finished(body, { writable: false }, (error) => {
      if (error === null || error === undefined || request.destroyed) resolve();
      else reject(error);
    });
    body.pipe(request);
  });
