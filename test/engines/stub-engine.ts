import { createServer, type Server } from 'node:http';

export interface StubEngine {
  readonly socket: string;
  close(): Promise<void>;
}

/** stubEngine answers /version and /info as an Engine API does, and dies when asked to build. */
export async function stubEngine(
  socket: string,
  { product = 'Engine', version = '20.10.24', driver = 'overlay2' } = {},
): Promise<StubEngine> {
  const server: Server = createServer((request, response) => {
    const json = (value: unknown): void => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(value));
    };
    const path = request.url ?? '';
    if (path.startsWith('/version'))
      json({ Version: version, Os: 'linux', Arch: 'amd64', Components: [{ Name: product, Version: version }] });
    else if (path.startsWith('/info'))
      json({
        Driver: driver,
        DriverStatus: driver === 'overlayfs' ? [['driver-type', 'io.containerd.snapshotter.v1']] : [],
      });
    else if (path.startsWith('/build')) {
      request.resume();
      response.write('{"id":"moby.buildkit.trace","aux":""}\n', () => response.destroy());
    } else {
      response.statusCode = 404;
      json({ message: 'no such image' });
    }
  });
  server.on('upgrade', (request, connection) => {
    connection
      .on('end', () => connection.destroy())
      .on('error', () => undefined)
      .resume();
    if (request.url === '/session')
      connection.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n');
    else connection.destroy();
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return {
    socket,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  };
}
