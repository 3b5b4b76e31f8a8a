import type { IncomingMessage } from 'node:http';
import type { Fault } from './memory-registry.ts';

/** Says for which requests a fault holds. */
export type Match = (request: IncomingMessage, path: string) => boolean;

export const on =
  (method: string, path: RegExp): Match =>
  (request, at) =>
    request.method === method && path.test(at);

/** answer gives a status (and says so) for the first `times` matching requests. */
export function answer(
  match: Match,
  status: number,
  headers: Readonly<Record<string, string>> = {},
  body = '',
  times = Infinity,
): Fault {
  let left = times;
  return (request, response, path) => {
    if (left <= 0 || !match(request, path)) return false;
    left -= 1;
    request.resume();
    response.writeHead(status, headers).end(body);
    return true;
  };
}

/**
 * cutUpload breaks the connection after some bytes of a body, for the first `times` matching requests.
 * The registry keeps what came until then; a `lossy` one keeps too little and says otherwise.
 */
export function cutUpload(match: Match, bytes: number, times = 1, lossy = false): Fault {
  let left = times;
  return (request, _response, path) => {
    if (left <= 0 || !match(request, path)) return false;
    left -= 1;
    const chunks = request[Symbol.asyncIterator].bind(request);
    request[Symbol.asyncIterator] = async function* () {
      let seen = 0;
      for await (const chunk of chunks() as AsyncIterable<Buffer>) {
        seen += chunk.length;
        yield lossy && seen === chunk.length ? Buffer.alloc(chunk.length) : chunk;
        if (seen >= bytes) request.socket.destroy();
      }
      return undefined;
    };
    return false;
  };
}

/** cutDownload sends `bytes` of a longer body and breaks the connection, for the first `times` requests. */
export function cutDownload(match: Match, content: Buffer, bytes: number, times = 1): Fault {
  let left = times;
  return (request, response, path) => {
    if (left <= 0 || !match(request, path)) return false;
    left -= 1;
    const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? '0');
    const part = content.subarray(start);
    response.writeHead(start === 0 ? 200 : 206, {
      'content-length': String(part.length),
      ...(start === 0 ? {} : { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` }),
    });
    response.write(part.subarray(0, bytes), () => setTimeout(() => response.destroy(), 20));
    return true;
  };
}

/** reset breaks the connection before any answer, for the first `times` matching requests. */
export function reset(match: Match, times: number): Fault {
  let left = times;
  return (request, _response, path) => {
    if (left <= 0 || !match(request, path)) return false;
    left -= 1;
    request.socket.destroy();
    return true;
  };
}

/** first gives the request to one fault after the other. */
export const first =
  (...faults: readonly Fault[]): Fault =>
  async (request, response, path) => {
    for (const fault of faults) if (await fault(request, response, path)) return true;
    return false;
  };
