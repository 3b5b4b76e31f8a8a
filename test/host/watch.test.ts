import { request as ask } from 'node:http';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { exchange, type ExchangeOptions } from '../../src/host/exchange.ts';

/** A server below HTTP that talks as it likes, until the connection is closed. */
async function serve(talk: (socket: Socket, open: () => boolean) => Promise<void>): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    let open = true;
    sockets.add(socket.on('error', () => undefined).on('close', () => (open = false)));
    socket.once('data', () => void talk(socket, () => open));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const patient: Omit<ExchangeOptions, 'body' | 'signals'> = {
  headersTimeout: 10_000,
  stretch: 10_000,
  pace: 1000,
  total: 10_000,
};

/** Milliseconds until the exchange and its body are over, and the code of what ended them. */
async function outcome(port: number, options: Partial<ExchangeOptions>): Promise<{ code: unknown; took: number }> {
  const started = Date.now();
  const body = options.body;
  const method = body === undefined ? 'GET' : 'PUT';
  try {
    const request = ask({ host: '127.0.0.1', port, method, agent: false });
    const answer = await exchange(request, { body, signals: [], ...patient, ...options });
    await answer.toArray();
    return { code: 'whole', took: Date.now() - started };
  } catch (error) {
    return { code: (error as NodeJS.ErrnoException).code ?? (error as Error).message, took: Date.now() - started };
  }
}

/** One byte of an endless body every 20 ms. */
const drip = (): Promise<number> =>
  serve(async (socket, open) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n');
    while (open()) {
      socket.write('x');
      await wait(20);
    }
  });

const informing = (): Promise<number> =>
  serve(async (socket, open) => {
    while (open()) {
      socket.write('HTTP/1.1 102 Processing\r\n\r\n');
      await wait(20);
    }
  });

describe('a server that never ends', () => {
  it('with one byte now and then is given up when a stretch brought too few', async () => {
    const { code, took } = await outcome(await drip(), { stretch: 200 });
    expect(code).toBe('ETOOSLOW');
    expect(took).toBeLessThan(5_000);
  });

  it('with 1xx answers has answered nothing', async () => {
    const { code, took } = await outcome(await informing(), { headersTimeout: 200 });
    expect(code).toBe('ETIMEDOUT');
    expect(took).toBeLessThan(5_000);
  });

  it('at a good pace ends at the total', async () => {
    const { code, took } = await outcome(await drip(), { stretch: 200, pace: 1, total: 300 });
    expect(code).toBe('ETOOLONG');
    expect(took).toBeGreaterThanOrEqual(290);
  });

  it('and takes nothing of an upload is given up, too', async () => {
    // The receiver reads nothing: what the kernel takes is soon full.
    const port = await serve(async (socket) => void socket.pause());
    const endless = new Readable({ read: () => undefined });
    const more = setInterval(() => endless.push(Buffer.alloc(1024 * 1024)), 10);
    endless.once('close', () => {
      clearInterval(more);
    });
    expect((await outcome(port, { body: endless, headersTimeout: 300 })).code).toBe('ETIMEDOUT');
  });

  for (const [name, server] of Object.entries({ drip, informing }))
    it(`ends at once when the host's signal does (${name})`, async () => {
      const controller = new AbortController();
      setTimeout(() => {
        controller.abort(new Error('SIGINT'));
      }, 100);
      const { code, took } = await outcome(await server(), { signals: [controller.signal] });
      expect(code).toBe('SIGINT');
      expect(took).toBeLessThan(3_000);
    });
});

describe('what is no fault of the server', () => {
  it('a reader that takes its time', async () => {
    const port = await serve(async (socket) => {
      socket.end(`HTTP/1.1 200 OK\r\ncontent-length: 500000\r\n\r\n${'x'.repeat(500_000)}`);
    });
    const request = ask({ host: '127.0.0.1', port, agent: false });
    const answer = await exchange(request, { body: undefined, signals: [], ...patient, stretch: 100 });
    await wait(600);
    expect((await answer.toArray()).join('')).toHaveLength(500_000);
  });
});

describe('a body that is over before it is sent', () => {
  it('ends the request instead of leaving it open', async () => {
    const port = await serve(async () => undefined);
    const body = new Readable({ read: () => undefined });
    body.destroy();
    await wait(10);
    expect((await outcome(port, { body })).code).toBe('ERR_STREAM_PREMATURE_CLOSE');
  });
});
