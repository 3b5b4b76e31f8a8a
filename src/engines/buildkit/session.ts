import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Duplex, Readable } from 'node:stream';
import {
  Server,
  ServerCredentials,
  status,
  type handleBidiStreamingCall,
  type handleUnaryCall,
  type MethodDefinition,
} from '@grpc/grpc-js';
import type { Credentials } from '../types.ts';
import * as messages from './messages.ts';

export interface Session {
  readonly id: string;
  /** What `remote=` of POST /build names: the engine pulls the context through this session. */
  readonly contextUrl: string;
  close(): void;
}

const serving = 1;
const chunkSize = 1024 * 1024;

const method = <Q, A>(
  path: string,
  request: messages.Message<Q>,
  answer: messages.Message<A>,
  stream = false,
): MethodDefinition<Q, A> => ({
  path,
  requestStream: stream,
  responseStream: stream,
  requestSerialize: request.encode,
  requestDeserialize: request.decode,
  responseSerialize: answer.encode,
  responseDeserialize: answer.decode,
});

const service = {
  check: method('/grpc.health.v1.Health/Check', messages.healthCheckRequest, messages.healthCheckResponse),
  credentials: method('/moby.filesync.v1.Auth/Credentials', messages.credentialsRequest, messages.credentialsResponse),
  pull: method('/moby.upload.v1.Upload/Pull', messages.bytesMessage, messages.bytesMessage, true),
};

/** What BuildKit may ask while it builds: whether we are there, who pulls, and the context. */
function handlers(
  credentials: Credentials,
  context: () => Readable,
): {
  check: handleUnaryCall<unknown, { status: number }>;
  credentials: handleUnaryCall<{ host: string }, { username: string; secret: string }>;
  pull: handleBidiStreamingCall<unknown, { data: Uint8Array }>;
} {
  return {
    check: (_call, answer) => {
      answer(null, { status: serving });
    },
    credentials: ({ request }, answer) => {
      credentials(request.host).then(
        (found) => {
          answer(null, found ?? { username: '', secret: '' });
        },
        () => {
          answer({ code: status.INTERNAL });
        },
      );
    },
    pull: (call) => {
      const source = context();
      call.on('cancelled', () => source.destroy());
      const send = async (): Promise<void> => {
        // Each message far below gRPC's limit of 4 MiB.
        for await (const chunk of source as AsyncIterable<Buffer>)
          for (let at = 0; at < chunk.length; at += chunkSize)
            if (!call.write({ data: chunk.subarray(at, at + chunkSize) })) await once(call, 'drain');
        call.end();
      };
      send().catch(() => call.emit('error', { code: status.INTERNAL }));
    },
  };
}

/**
 * openSession lets BuildKit ask for credentials and fetch the context: Docker 26 with the containerd store looks
 * for a context in the request's body at a host name that does not exist. dockerode's own session answers no health
 * check, so that newer engines drop it after a second, and it stays open when a build fails.
 */
export async function openSession(
  hijack: (path: string, headers: Readonly<Record<string, string | string[]>>) => Promise<Duplex>,
  credentials: Credentials,
  context: () => Readable,
): Promise<Session> {
  const id = randomUUID();
  const socket = await hijack('/session', {
    Upgrade: 'h2c',
    'X-Docker-Expose-Session-Uuid': id,
    'X-Docker-Expose-Session-Name': 'runner-image',
    'X-Docker-Expose-Session-Grpc-Method': [service.credentials.path, service.pull.path],
  });
  socket.on('error', () => undefined);
  // Upgrading chose HTTP/2; on a TLS connection Node would look at what the handshake chose, and hang up.
  if ('alpnProtocol' in socket) Object.assign(socket, { alpnProtocol: 'h2' });
  const server = new Server();
  server.addService(service, handlers(credentials, context));
  server.createConnectionInjector(ServerCredentials.createInsecure()).injectConnection(socket);
  return {
    id,
    contextUrl: `http://buildkit-session/${id}`,
    close: () => {
      server.forceShutdown();
      socket.destroy();
    },
  };
}
