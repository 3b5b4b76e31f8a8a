import type { IncomingMessage } from 'node:http';
import type { Fault } from './memory-registry.ts';

const head = (...lines: readonly string[]): string => ['HTTP/1.1 200 OK', ...lines, '', ''].join('\r\n');
const noise = 'x'.repeat(3000);

/** Ways in which an answer goes wrong below HTTP, all with status 200. */
const talk = {
  /** No answer: the connection is closed. */
  cut: (request: IncomingMessage) => void request.socket.destroy(),
  /** A chunk whose size is no number. */
  malformed: (request: IncomingMessage) =>
    void request.socket.write(`${head('transfer-encoding: chunked')}5\r\nhello\r\nZZZ\r\n`),
  /** More bytes than the length that was announced. */
  short: (request: IncomingMessage) => void request.socket.write(`${head('content-length: 5')}${noise}`),
  /** Fewer bytes than the length that was announced. */
  truncated: (request: IncomingMessage) => void request.socket.end(`${head('content-length: 4000')}${noise}`),
  /** Headers, and a connection that is reset when they have arrived. */
  reset(request: IncomingMessage) {
    request.socket.write(head('content-length: 4000'));
    setTimeout(() => request.socket.resetAndDestroy(), 20);
  },
  /** Never an answer. */
  stall: () => undefined,
} as const;

export type Starving = keyof typeof talk;
export const starvings = Object.keys(talk) as Starving[];

export interface Starved {
  readonly fault: Fault;
  /** Requests seen so far. */
  readonly seen: () => number;
}

/** starve answers the request number `at` (0 is the first), and with `on` all after it, in this way. */
export function starve(how: Starving, at: number, on: boolean, stalled: () => void = () => undefined): Starved {
  let seen = 0;
  return {
    seen: () => seen,
    fault(request) {
      const mine = seen++;
      if (on ? mine < at : mine !== at) return false;
      request.resume();
      talk[how](request);
      if (how === 'stall') stalled();
      return true;
    },
  };
}
