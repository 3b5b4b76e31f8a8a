import { randomUUID } from 'node:crypto';
import type { DockerClient } from './docker-client.ts';
import { serveUnary, type UnaryHandler } from './grpc.ts';
import { decodeFields, encodeText, text } from './protobuf.ts';

/** Credentials for a registry host, or undefined for an anonymous pull. */
export type Credentials = (host: string) => Promise<{ readonly username: string; readonly secret: string } | undefined>;

export interface Session {
  readonly id: string;
  close(): void;
}

/**
 * openSession gives BuildKit a way to ask who pulls. dockerode's own session answers no health
 * check, so that newer engines drop it after a second, and it stays open when a build fails.
 */
export async function openSession(client: DockerClient, credentials: Credentials): Promise<Session> {
  const id = randomUUID();
  const handlers = new Map<string, UnaryHandler>([
    // HealthCheckResponse{status: SERVING}
    ['/grpc.health.v1.Health/Check', async () => Uint8Array.of(0x08, 0x01)],
    [
      '/moby.filesync.v1.Auth/Credentials',
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
    'X-Docker-Expose-Session-Grpc-Method': '/moby.filesync.v1.Auth/Credentials',
  });
  return { id, close: await serveUnary(socket, handlers) };
}
