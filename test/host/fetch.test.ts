import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { createHost } from '../../src/host/index.ts';
import { discard } from '../../src/registry/body.ts';

it('one connection carries many questions, those for headers alone too', async () => {
  let connections = 0;
  const server = createServer((request, response) => {
    const body = 'x'.repeat(1000);
    response.writeHead(200, { 'content-length': body.length }).end(request.method === 'HEAD' ? undefined : body);
  });
  server.on('connection', () => (connections += 1));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const host = createHost({ quiet: true });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v2/a/manifests/b`;
  for (const method of Array.from({ length: 20 }, (_, at) => (at % 4 === 3 ? 'GET' : 'HEAD'))) {
    const { status, body } = await host.fetch(url, { method });
    expect(status).toBe(200);
    await discard(body);
  }
  // The next question may come before the connection of the last one counts as free.
  expect(connections).toBeLessThanOrEqual(2);
  await host.close();
});
