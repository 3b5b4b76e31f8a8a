import { once } from 'node:events';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bytesMessage, credentialsRequest, credentialsResponse } from '../../src/engines/buildkit/messages.ts';
import { openSession, type Session } from '../../src/engines/buildkit/session.ts';
import { workerPlatforms } from '../../src/engines/buildkit/workers.ts';

const content = Buffer.alloc(9_000_000, 'context ');
let server: Server;
let buildkit: ClientHttp2Session;
let session: Session;
let context: () => Readable;

async function pair(): Promise<[Socket, Socket]> {
  const accepted = once(server, 'connection');
  const near = connect((server.address() as AddressInfo).port);
  return [near, ((await accepted) as [Socket])[0]];
}

beforeEach(async () => {
  server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const [near, far] = await pair();
  context = () => Readable.from([content.subarray(0, 5_000_000), content.subarray(5_000_000)]);
  session = await openSession(
    async () => near,
    async (registry) => {
      if (registry === 'broken.example') throw new Error('no helper');
      return registry === 'known.example' ? { username: 'me', secret: 'hunter2' } : undefined;
    },
    () => context(),
  );
  buildkit = connectHttp2('http://session', { createConnection: () => far });
  buildkit.on('error', () => undefined);
});
afterEach(() => {
  session.close();
  buildkit.destroy();
  server.close();
});

/** One call as BuildKit makes it: the status, and every message of the answer. */
async function call(path: string, request: Uint8Array): Promise<{ status: string; answers: Buffer[] }> {
  const stream = buildkit.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  let status = 'none';
  for (const event of ['response', 'trailers'])
    stream.on(event, (headers: Record<string, string>) => (status = headers['grpc-status'] ?? status));
  const head = Buffer.alloc(5);
  head.writeUInt32BE(request.length, 1);
  stream.end(Buffer.concat([head, request]));
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  const answers: Buffer[] = [];
  for (let rest = Buffer.concat(chunks); rest.length > 0; rest = rest.subarray(5 + rest.readUInt32BE(1)))
    answers.push(rest.subarray(5, 5 + rest.readUInt32BE(1)));
  return { status, answers };
}

const nothing = new Uint8Array();
const ask = (host: string) => call('/moby.filesync.v1.Auth/Credentials', credentialsRequest.encode({ host }));

test('says that it is there', async () => {
  expect(await call('/grpc.health.v1.Health/Check', nothing)).toEqual({ status: '0', answers: [Buffer.of(8, 1)] });
});

test('gives a registry its login, and none where there is none', async () => {
  const known = await ask('known.example');
  expect(credentialsResponse.decode(known.answers[0] ?? nothing)).toEqual({ username: 'me', secret: 'hunter2' });
  const other = await ask('other.example');
  expect(credentialsResponse.decode(other.answers[0] ?? nothing)).toEqual({ username: '', secret: '' });
  expect(await ask('broken.example')).toEqual({ status: '13', answers: [] });
});

test('hands the context over in messages below the limit of gRPC', async () => {
  const { status, answers } = await call('/moby.upload.v1.Upload/Pull', nothing);
  expect(status).toBe('0');
  expect(Buffer.concat(answers.map((bytes) => Buffer.from(bytesMessage.decode(bytes).data))).equals(content)).toBe(
    true,
  );
  expect(Math.max(...answers.map(({ length }) => length))).toBeLessThan(4 * 1024 * 1024);
});

test('a context that breaks is a failure, not a short context', async () => {
  context = () =>
    Readable.from(
      (async function* () {
        yield Buffer.from('begin');
        throw new Error('changed');
      })(),
    );
  expect(await call('/moby.upload.v1.Upload/Pull', nothing)).toMatchObject({ status: '13' });
});

test('a question that it does not know is answered as such', async () => {
  expect(await call('/moby.filesync.v1.Secrets/GetSecret', nothing)).toEqual({ status: '12', answers: [] });
});

test('an engine that hangs up tells no platforms', async () => {
  const [near, far] = await pair();
  far.destroy();
  expect(await workerPlatforms(near)).toBeUndefined();
});
