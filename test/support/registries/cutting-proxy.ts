import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A TCP proxy before a real registry that breaks connections as bad networks do. */
export interface CuttingProxy {
  /** `127.0.0.1:port`. */
  readonly host: string;
  /** Breaks the connection that is the next to send this many bytes up, or (`down`) to receive them. */
  cutNext(bytes: number, direction: 'up' | 'down'): void;
  readonly cuts: () => number;
  close(): Promise<void>;
}

export async function startCuttingProxy(target: string): Promise<CuttingProxy> {
  const [hostname = '', port = ''] = target.split(':');
  let pending: { readonly bytes: number; readonly direction: 'up' | 'down' } | undefined;
  let cuts = 0;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
    }
    const watch = (direction: 'up' | 'down', from: Socket, to: Socket): void => {
      let seen = 0;
      from.on('data', (chunk: Buffer) => {
        seen += chunk.length;
        if (pending?.direction === direction && seen >= pending.bytes) {
          pending = undefined;
          cuts += 1;
          // What was read is passed on first, so that the other side has a part of it.
          to.write(chunk, () => {
            from.destroy();
            to.destroy();
          });
        } else if (!to.write(chunk)) {
          from.pause();
          to.once('drain', () => from.resume());
        }
      });
      from.on('end', () => to.end());
      from.on('close', () => to.destroy());
    };
    watch('up', client, upstream);
    watch('down', upstream, client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cutNext: (bytes, direction) => void (pending = { bytes, direction }),
    cuts: () => cuts,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        for (const socket of sockets) socket.destroy();
      }),
  };
}
