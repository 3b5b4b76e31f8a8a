import { once } from 'node:events';
import { createServer, get, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { FulcioSigner, TSAWitness, type SignatureBundle } from '@sigstore/sign';
import { Door } from '../../src/sigstore/door.ts';
import { makeToken, githubClaims } from '../../src/lab/sigstore/identity.ts';
import { newKeyPair } from '../../src/lab/sigstore/keys.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const forever = new AbortController().signal;
const content: SignatureBundle = {
  $case: 'dsseEnvelope',
  dsseEnvelope: { payloadType: '', payload: Buffer.alloc(0), signatures: [{ keyid: '', sig: Buffer.from('sig') }] },
};
const stamp = (url: string) => new TSAWitness({ tsaBaseURL: `${url}/stamp` }).testify(content);

/** What a client of another package read, in bytes. */
const read = (url: string): Promise<number> =>
  new Promise((resolve, reject) => {
    get(url, (response) => {
      let size = 0;
      response.on('data', (chunk: Buffer) => (size += chunk.length));
      response.once('end', () => {
        resolve(size);
      });
      response.once('error', reject);
    }).once('error', reject);
  });

describe('the door around the requests of another package', () => {
  test('a compressed answer, which could unpack to any size, is neither asked for nor read', async () => {
    const asked: (string | undefined)[] = [];
    const url = await serve((request, response) => {
      asked.push(request.headers['accept-encoding']);
      response.writeHead(201, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(100 * 1024 * 1024)));
    });
    const door = new Door(1024 * 1024, forever);
    await expect(door.run(() => stamp(url))).rejects.toThrow();
    expect(door.refusal).toBe('one in gzip');
    expect(asked).toEqual(['identity']);
  });

  test('the identity token is not sent on to where a redirect leads', async () => {
    const elsewhere: string[] = [];
    const other = await serve((request, response) => {
      request.on('data', (chunk: Buffer) => elsewhere.push(chunk.toString()));
      request.on('end', () => response.end('{}'));
    });
    const url = await serve((_request, response) => {
      response.writeHead(307, { location: `${other}/api/v2/signingCert` }).end();
    });
    const token = makeToken(githubClaims(new Date()), newKeyPair());
    const signer = new FulcioSigner({ fulcioBaseURL: url, identityProvider: { getToken: async () => token } });
    const door = new Door(1024, forever);
    await expect(door.run(() => signer.sign(Buffer.from('data')))).rejects.toThrow();
    expect(elsewhere).toEqual([]);
    expect(door.last).toMatchObject({ status: 307, url: `${url}/api/v2/signingCert` });
    // Without the door, the package follows.
    await expect(signer.sign(Buffer.from('data'))).rejects.toThrow();
    expect(elsewhere.join('')).toContain(token);
  });

  test('what is asked for elsewhere at the same time is not bounded', async () => {
    const url = await serve((_request, response) => response.end(Buffer.alloc(100_000)));
    const door = new Door(1000, forever);
    const [inside, outside] = await Promise.allSettled([door.run(() => read(url)), read(url)]);
    expect(inside).toMatchObject({ status: 'rejected' });
    expect(door.refusal).toBe('100000 bytes announced');
    expect(outside).toEqual({ status: 'fulfilled', value: 100_000 });
  });

  test('work that goes on after its call is over asks no more', async () => {
    let asked = 0;
    const url = await serve((_request, response) => {
      asked += 1;
      response.writeHead(503).end();
    });
    const stop = new AbortController();
    const door = new Door(1000, stop.signal);
    let later: Promise<unknown> | undefined;
    const work = door.run(async () => {
      await stamp(url).catch(() => undefined);
      stop.abort(new Error('time is over'));
      await new Promise((resolve) => setImmediate(resolve));
      later = stamp(url);
      await later;
    });
    await expect(work).rejects.toThrow('time is over');
    await new Promise((resolve) => setTimeout(resolve, 50));
    await expect(later).rejects.toMatchObject({
      cause: { message: expect.stringContaining('the call is over') as string },
    });
    expect(asked).toBe(1);
  });

  test('an answer of exactly the limit passes, whoever reads it and when', async () => {
    const url = await serve((_request, response) => response.end(Buffer.alloc(1000)));
    expect(await new Door(1000, forever).run(() => read(url))).toBe(1000);
    await expect(new Door(999, forever).run(() => read(url))).rejects.toThrow();
  });
});
