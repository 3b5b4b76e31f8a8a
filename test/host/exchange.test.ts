import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { renderError } from '../../src/errors/index.ts';
import { createHost, type CreatedHost } from '../../src/host/index.ts';

let host: CreatedHost;

beforeEach(() => {
  host = createHost({ quiet: true });
});

afterEach(async () => {
  await host.close();
  vi.unstubAllEnvs();
});

async function listening(server: Server, onClose: () => void): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    onClose();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  return `http://${await listening(server, () => {
    server.closeAllConnections();
  })}/`;
}

/** A server below HTTP: what a broken or hostile one sends. */
async function tcp(talk: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    talk(socket);
  });
  return `http://${await listening(server as unknown as Server, () => {
    for (const socket of sockets) socket.destroy();
  })}/`;
}

describe('time', () => {
  it('a server that never answers is given up after the timeout', async () => {
    const url = await serve(() => undefined);
    await expect(host.fetch(url, { timeout: 120 })).rejects.toMatchObject({
      code: 'host/network',
      cause: { code: 'ETIMEDOUT', message: 'nothing came for 0.12 s' },
    });
  });

  it('an upload that moves may take longer than the timeout', async () => {
    const url = await serve((request, response) => {
      request.resume().on('end', () => response.end('whole'));
    });
    const slow = async function* (): AsyncGenerator<Buffer> {
      for (let at = 0; at < 8; at += 1) {
        await new Promise((resolve) => setTimeout(resolve, 40));
        yield Buffer.alloc(100);
      }
    };
    const answer = await host.fetch(url, { method: 'PUT', body: Readable.from(slow()), timeout: 200 });
    expect((await answer.body.toArray()).join('')).toBe('whole');
  });
});

describe('an end before the end', () => {
  it('Ctrl-C in the middle of an answer tells its reason, and ends the connection', async () => {
    let closed = false;
    const url = await serve((_request, response) => {
      response.once('close', () => (closed = true));
      response.write('a beginning');
    });
    const { body } = await host.fetch(url);
    body.once('data', () => {
      host.abort('SIGINT');
    });
    await expect(body.toArray()).rejects.toThrow('SIGINT');
    await expect.poll(() => closed).toBe(true);
  });

  it('a body that breaks off is an error, not a short body', async () => {
    const url = await tcp((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort')),
    );
    const { body } = await host.fetch(url);
    await expect(body.toArray()).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('an upload that is refused early stops there, and the answer is told', async () => {
    let connections = 0;
    const url = await tcp((socket) => {
      connections += 1;
      socket.once('data', () => socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig'));
    });
    let taken = 0;
    const endless = new Readable({
      read() {
        taken += 1;
        setImmediate(() => this.push(Buffer.alloc(65_536)));
      },
    });
    const answer = await host.fetch(url, { method: 'PUT', body: endless });
    expect([answer.status, (await answer.body.toArray()).join('')]).toEqual([413, 'big']);
    await expect.poll(() => endless.destroyed).toBe(true);
    expect(taken).toBeLessThan(2000);
    // Half an upload is on that connection: the next request takes another one.
    await (await host.fetch(url)).body.toArray();
    expect(connections).toBe(2);
  });

  it('a body that cannot be read ends the request with its own error', async () => {
    const url = await serve((request) => request.resume());
    const body = new Readable({
      read() {
        this.destroy(new Error('the disk is gone'));
      },
    });
    await expect(host.fetch(url, { method: 'PUT', body })).rejects.toMatchObject({
      code: 'host/network',
      cause: { message: 'the disk is gone' },
    });
  });

  it('an answer that is no HTTP is an error', async () => {
    const url = await tcp((socket) => socket.once('data', () => socket.end('SSH-2.0-OpenSSH_9.2\r\n')));
    await expect(host.fetch(url)).rejects.toMatchObject({ code: 'host/network' });
  });
});

describe('what is sent', () => {
  it('neither user nor password of the address', async () => {
    const url = await serve((request, response) => response.end(JSON.stringify(request.headers)));
    const { body } = await host.fetch(url.replace('//', '//robot:secret@'));
    const headers = JSON.parse((await body.toArray()).join('')) as Record<string, string>;
    expect(headers['user-agent']).toBe('openshell-runner-images');
    expect(headers['authorization']).toBeUndefined();
  });

  it('nothing to an address that is no web address', async () => {
    await expect(host.fetch('file:///etc/passwd')).rejects.toMatchObject({ code: 'host/network' });
  });
});

describe('proxies', () => {
  /** A proxy that tells what it is asked, and goes nowhere. */
  async function proxy(): Promise<{ readonly url: string; readonly asked: string[] }> {
    const asked: string[] = [];
    const url = await tcp((socket) =>
      socket.once('data', (head: Buffer) => {
        asked.push(head.toString().split('\r\n')[0] ?? '');
        socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nthe proxy');
      }),
    );
    for (const name of ['http_proxy', 'https_proxy', 'no_proxy', 'all_proxy'])
      for (const spelling of [name, name.toUpperCase()]) vi.stubEnv(spelling, '');
    return { url, asked };
  }

  it('carry what goes elsewhere, HTTPS through a tunnel, and nothing that NO_PROXY names', async () => {
    const { url, asked } = await proxy();
    vi.stubEnv('HTTP_PROXY', url);
    vi.stubEnv('https_proxy', url);
    vi.stubEnv('NO_PROXY', '.internal.invalid');
    const { body } = await host.fetch('http://registry.invalid/v2/');
    expect((await body.toArray()).join('')).toBe('the proxy');
    await expect(host.fetch('https://quay.invalid/v2/')).rejects.toMatchObject({ code: 'host/network' });
    await expect(host.fetch('http://mirror.internal.invalid/')).rejects.toMatchObject({ code: 'host/network' });
    expect(asked).toEqual(['GET http://registry.invalid/v2/ HTTP/1.1', 'CONNECT quay.invalid:443 HTTP/1.1']);
  });

  it('may be named by ALL_PROXY, without a scheme, and NO_PROXY may have spaces', async () => {
    const { url, asked } = await proxy();
    vi.stubEnv('ALL_PROXY', url.replace('http://', ''));
    vi.stubEnv('no_proxy', 'a.invalid mirror.invalid');
    await host.fetch('http://registry.invalid/v2/');
    await expect(host.fetch('https://quay.invalid/v2/')).rejects.toMatchObject({ code: 'host/network' });
    await expect(host.fetch('http://mirror.invalid/')).rejects.toMatchObject({ code: 'host/network' });
    expect(asked).toEqual(['GET http://registry.invalid/v2/ HTTP/1.1', 'CONNECT quay.invalid:443 HTTP/1.1']);
  });

  it.each([
    ['HTTPS_PROXY', 'http://user:hunter#2@proxy.invalid:3128'],
    ['all_proxy', 'socks5://user:hunter#2@proxy.invalid:1080'],
  ])('that cannot be used are refused, and their password is not shown: %s=%s', async (name, value) => {
    await proxy();
    vi.stubEnv(name, value);
    const error: unknown = await host.fetch('https://quay.invalid/v2/').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'host/proxy', exit: 2 });
    const shown = renderError(error);
    expect(shown).toContain(name);
    expect(shown).not.toContain('hunter');
  });

  it('never stand between this machine and itself', async () => {
    const { url, asked } = await proxy();
    vi.stubEnv('HTTP_PROXY', url);
    const own = await serve((_request, response) => response.end('direct'));
    expect((await (await host.fetch(own)).body.toArray()).join('')).toBe('direct');
    expect(asked).toEqual([]);
  });
});
