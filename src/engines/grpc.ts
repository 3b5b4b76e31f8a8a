import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { collectBytes } from '../core/bytes.ts';
import { AppError } from '../errors/index.ts';

/**
 * Just enough gRPC (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md) for the two
 * conversations that the Engine API carries over an upgraded connection: asking BuildKit for its
 * workers and answering its questions during a build.
 */
export type UnaryHandler = (request: Uint8Array) => Promise<Uint8Array>;
/** Answers with as many messages as it gives, and does not wait for the request to end. */
export type StreamHandler = (headers: Readonly<Record<string, unknown>>) => AsyncIterable<Uint8Array>;

const unimplemented = '12';
const internal = '13';
const maxMessage = 4 * 1024 * 1024;

function frame(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

async function readMessage(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const all = await collectBytes(stream, maxMessage);
  if (all === undefined) throw new RangeError('gRPC message too large');
  if (all.length < 5) return Buffer.alloc(0);
  return all.subarray(5, 5 + all.readUInt32BE(1));
}

export interface Handlers {
  readonly unary: ReadonlyMap<string, UnaryHandler>;
  readonly stream: ReadonlyMap<string, StreamHandler>;
}

async function* answers(
  handlers: Handlers,
  headers: Readonly<Record<string, unknown>>,
  request: AsyncIterable<unknown>,
) {
  const path = String(headers[':path']);
  const stream = handlers.stream.get(path);
  if (stream !== undefined) for await (const message of stream(headers)) yield frame(message);
  const unary = handlers.unary.get(path);
  if (unary !== undefined) yield frame(await unary(await readMessage(request)));
}

/** serve answers calls on an upgraded connection until the returned function ends it. */
export async function serve(socket: Duplex, handlers: Handlers): Promise<() => void> {
  const http2 = await import('node:http2');
  const server = http2.createServer();
  server.on('session', (session) => session.on('error', () => undefined));
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    const path = String(headers[':path']);
    let status = handlers.unary.has(path) || handlers.stream.has(path) ? '0' : unimplemented;
    stream.on('wantTrailers', () => {
      stream.sendTrailers({ 'grpc-status': status });
    });
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    void (async () => {
      try {
        for await (const chunk of answers(handlers, headers, stream))
          // A client that hangs up takes no more, and is no error here.
          if (!stream.write(chunk)) await Promise.race([once(stream, 'drain'), once(stream, 'close')]);
      } catch {
        status = internal;
      }
      stream.end();
    })();
  });
  socket.on('error', () => undefined);
  // Upgrading chose HTTP/2; on a TLS connection Node would look at what the handshake chose, and hang up.
  if ('alpnProtocol' in socket) Object.assign(socket, { alpnProtocol: 'h2' });
  server.emit('connection', socket);
  return () => {
    socket.destroy();
  };
}

/** callUnary makes one call and ends the connection. Throws `engines/grpc`. */
export async function callUnary(socket: Duplex, path: string, request: Uint8Array, timeout = 5000): Promise<Buffer> {
  const http2 = await import('node:http2');
  const client = http2.connect('http://engine', { createConnection: () => socket });
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<Buffer>((resolve, reject) => {
      const fail = (cause: unknown): void => {
        reject(new AppError('engines/grpc', 'machine', `the engine did not answer ${path}`, { cause }));
      };
      timer = setTimeout(() => {
        fail(new Error(`no answer in ${timeout} ms`));
      }, timeout);
      client.on('error', fail);
      const stream = client.request({
        ':method': 'POST',
        ':path': path,
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      stream.on('error', fail);
      let status: unknown;
      const note = (headers: Readonly<Record<string, unknown>>): void => {
        status = headers['grpc-status'] ?? status;
      };
      stream.on('response', note);
      stream.on('trailers', note);
      stream.end(frame(request));
      readMessage(stream).then((message) => {
        if (String(status) === '0') resolve(message);
        else fail(new Error(`gRPC status ${String(status)}`));
      }, fail);
    });
  } finally {
    clearTimeout(timer);
    client.destroy();
    socket.destroy();
  }
}
