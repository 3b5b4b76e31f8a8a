import { connect } from 'node:http2';
import type { Duplex } from 'node:stream';
import { collectBytes, isPlatform, type Platform } from '../../core/index.ts';
import { listWorkersResponse } from './messages.ts';

const maxAnswer = 4 * 1024 * 1024;
const timeout = 5000;

/**
 * workerPlatforms asks BuildKit over an upgraded connection (`/grpc`) which platforms it can execute: it tries a tiny
 * binary of each, which is true for a remote engine too. Returns undefined when the engine does not say. grpc-js opens
 * its connections itself, so this one call is made by hand (grpc/grpc, doc/PROTOCOL-HTTP2.md).
 */
export async function workerPlatforms(socket: Duplex): Promise<readonly Platform[] | undefined> {
  const client = connect('http://engine', { createConnection: () => socket });
  client.on('error', () => undefined);
  try {
    const path = '/moby.buildkit.v1.Control/ListWorkers';
    const call = client.request(
      { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' },
      { signal: AbortSignal.timeout(timeout) },
    );
    let status: unknown;
    for (const event of ['response', 'trailers'])
      call.on(event, (headers: Readonly<Record<string, unknown>>) => (status = headers['grpc-status'] ?? status));
    // One message without a field: not compressed, 0 bytes long.
    call.end(Buffer.alloc(5));
    const answer = await collectBytes(call, maxAnswer);
    return answer === undefined || status !== '0' ? undefined : platformsOf(answer.subarray(5));
  } catch {
    return undefined;
  } finally {
    client.destroy();
    socket.destroy();
  }
}

/**
 * platformsOf reads a ListWorkersResponse: the platforms of this project that some worker runs; undefined when none is
 * listed.
 */
export function platformsOf(response: Uint8Array): readonly Platform[] | undefined {
  const names = listWorkersResponse
    .decode(response)
    .record.flatMap(({ platforms }) => platforms.map(({ os, architecture }) => `${os}/${architecture}`));
  const found = new Set(names.filter(isPlatform));
  return found.size === 0 ? undefined : [...found].sort();
}
