import { createServer, request as ask } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Fault } from './memory-registry.ts';

/** An HTTP proxy before a real registry, where single requests are answered by a fault instead. */
export interface FaultProxy {
  /** `127.0.0.1:port`. */
  readonly host: string;
  /** `METHOD path` of every request, in order; queries left out. */
  readonly log: string[];
  close(): Promise<void>;
}

/** startFaultProxy passes everything on to `target` (`host:port`) that `fault` does not answer. */
export async function startFaultProxy(target: string, fault: Fault = () => false): Promise<FaultProxy> {
  const [hostname = '', port = ''] = target.split(':');
  const log: string[] = [];
  const server = createServer((request, response) => {
    const { method = 'GET', url = '/', headers } = request;
    const path = new URL(url, `http://${target}`).pathname;
    log.push(`${method} ${path}`);
    void Promise.resolve(fault(request, response, path)).then((answered) => {
      if (answered) return;
      // The client's own Host goes on, so that upload locations lead back here.
      const upstream = ask({ hostname, port, method, path: url, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      upstream.once('error', () => response.destroy());
      request.pipe(upstream);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    log,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}
