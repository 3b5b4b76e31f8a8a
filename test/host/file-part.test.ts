import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readlink, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHost, type CreatedHost } from '../../src/host/index.ts';
import { filePieces } from '../../src/host/file-part.ts';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const content = randomBytes(5 * 1024 * 1024 + 7);

let directory: string;
let path: string;
let server: Server;
let host: CreatedHost;
let connections: number;
/** What the server does with a request's body; gives what it answers. */
let take: (request: IncomingMessage) => Promise<string>;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'part-'));
  path = join(directory, 'blob');
  await writeFile(path, content);
  host = createHost({ quiet: true });
  connections = 0;
  server = createServer((request, response) => {
    take(request).then(
      (answer) =>
        response
          .setHeader('content-length', Buffer.byteLength(answer))
          .end(request.method === 'HEAD' ? undefined : answer),
      () => response.destroy(),
    );
  });
  server.on('connection', () => (connections += 1));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  await host.close();
  server.closeAllConnections();
  server.close();
  await rm(directory, { recursive: true });
});

const url = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;

async function put(start: number, length: number): Promise<string> {
  const headers = { 'content-length': String(length) };
  const answer = await host.fetch(url(), { method: 'PUT', headers, body: { path, start, length } });
  return (await answer.body.toArray()).join('');
}

/** Files of the directory that this process holds open. */
async function open(): Promise<string[]> {
  const links = await Promise.all(
    (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
  );
  return links.filter((link) => link.startsWith(directory));
}

async function hash(request: IncomingMessage, pause = 0): Promise<string> {
  const seen = createHash('sha256');
  for await (const chunk of request) {
    seen.update(chunk as Buffer);
    if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
  }
  return seen.digest('hex');
}

describe('a part of a file as the body of a request', () => {
  it('arrives byte for byte, whole and in part, also at a server that reads slowly', async () => {
    take = (request) => hash(request);
    expect(await put(0, content.length)).toBe(sha256(content));
    expect(await put(1_000_001, 2_000_003)).toBe(sha256(content.subarray(1_000_001, 3_000_004)));
    take = (request) => hash(request, 1);
    expect(await put(0, content.length)).toBe(sha256(content));
  });

  it('several at once do not touch each other’s buffers', async () => {
    take = (request) => hash(request);
    const parts = [0, 1, 2, 3, 4, 5].map((n) => [n * 700_001, 900_000 + n] as const);
    const answers = await Promise.all(parts.map(([start, length]) => put(start, length)));
    expect(answers).toEqual(parts.map(([start, length]) => sha256(content.subarray(start, start + length))));
  });

  it('uses two buffers, however long the file is', async () => {
    const buffers = new Set<ArrayBufferLike>();
    for await (const piece of filePieces({ path, start: 0, length: content.length })) buffers.add(piece.buffer);
    expect(buffers.size).toBe(2);
  });

  it('that ends too early fails the request with the file’s name, and leaves nothing open', async () => {
    take = (request) => hash(request);
    await truncate(path, 3_000_000);
    await expect(put(0, content.length)).rejects.toMatchObject({
      cause: { code: 'host/read', facts: { where: { file: path }, found: '3000000 bytes' } },
    });
    await expect.poll(open).toEqual([]);
  });

  it('leaves no file open when the server hangs up in the middle', async () => {
    take = async (request) => {
      for await (const _chunk of request) throw new Error('enough');
      return '';
    };
    await expect(put(0, content.length)).rejects.toMatchObject({ code: 'host/network' });
    await expect.poll(open).toEqual([]);
  });
});

describe('requests to one server', () => {
  it('share a connection, HEAD included', async () => {
    take = async () => 'x';
    for (const method of ['HEAD', 'GET', 'HEAD', 'HEAD']) {
      const { body } = await host.fetch(url(), { method });
      await body.toArray();
      // The client is told after its reader that the connection is free again.
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(connections).toBe(1);
  });
});
