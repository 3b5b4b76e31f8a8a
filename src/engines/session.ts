import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { DockerClient } from './docker-client.ts';
import { serve, type StreamHandler, type UnaryHandler } from './grpc.ts';
import { decodeFields, encodeBytes, encodeText, text } from './protobuf.ts';

/** Credentials for a registry host, or undefined for an anonymous pull. */
export type Credentials = (host: string) => Promise<{ readonly username: string; readonly secret: string } | undefined>;

export interface Session {
  readonly id: string;
  /** What `remote=` of POST /build names: the engine pulls the context through this session. */
  readonly contextUrl: string;
  close(): void;
}

const uploadMethod = '/moby.upload.v1.Upload/Pull';
const credentialsMethod = '/moby.filesync.v1.Auth/Credentials';

/** moby.upload.v1.BytesMessage{data} per chunk, each far below gRPC's limit of 4 MiB. */
async function* upload(context: Readable): AsyncGenerator<Uint8Array> {
  for await (const chunk of context)
    for (let at = 0; at < (chunk as Buffer).length; at += 1024 * 1024)
      yield encodeBytes(1, (chunk as Buffer).subarray(at, at + 1024 * 1024));
}

/**
 * openSession gives BuildKit a way to ask who pulls, and to fetch the context: Docker 26 with the
 * containerd store looks for a context in the request's body at a host name that does not exist. dockerode's own session answers no health
 * check, so that newer engines drop it after a second, and it stays open when a build fails.
 */
export async function openSession(
  client: DockerClient,
  credentials: Credentials,
  context: () => Readable,
): Promise<Session> {
  const id = randomUUID();
  const unary = new Map<string, UnaryHandler>([
    // HealthCheckResponse{status: SERVING}
    ['/grpc.health.v1.Health/Check', async () => Uint8Array.of(0x08, 0x01)],
    [
      credentialsMethod,
      async (request) => {
        const found = await credentials(text(decodeFields(request), 1));
        return found === undefined
          ? new Uint8Array()
          : Buffer.concat([encodeText(1, found.username), encodeText(2, found.secret)]);
      },
    ],
  ]);
  const socket = await client.hijack('/session', {
    Upgrade: 'h2c',
    'X-Docker-Expose-Session-Uuid': id,
    'X-Docker-Expose-Session-Name': 'runner-image',
    'X-Docker-Expose-Session-Grpc-Method': [credentialsMethod, uploadMethod],
  });
  const stream = new Map<string, StreamHandler>([[uploadMethod, () => upload(context())]]);
  return { id, contextUrl: `http://buildkit-session/${id}`, close: await serve(socket, { unary, stream }) };
}
