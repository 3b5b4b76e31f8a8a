import { isPlatform, type Platform } from '../core/index.ts';
import type { DockerClient } from './docker-client.ts';
import { callUnary } from './grpc.ts';
import { decodeFields, messages, text } from './protobuf.ts';

/**
 * workerPlatforms asks BuildKit which platforms it can execute (it tries a tiny binary of each),
 * which is true for a remote engine too. ListWorkersResponse: buildkit's control.proto; undefined
 * when the engine does not say.
 */
export async function workerPlatforms(client: DockerClient): Promise<readonly Platform[] | undefined> {
  try {
    const socket = await client.hijack('/grpc', { Upgrade: 'h2c' });
    return decodeWorkers(await callUnary(socket, '/moby.buildkit.v1.Control/ListWorkers', new Uint8Array()));
  } catch {
    return undefined;
  }
}

export function decodeWorkers(response: Uint8Array): readonly Platform[] | undefined {
  const found = new Set<Platform>();
  for (const record of messages(decodeFields(response), 1))
    for (const bytes of messages(decodeFields(record), 3)) {
      const fields = decodeFields(bytes);
      const name = `${text(fields, 2)}/${text(fields, 1)}`;
      if (isPlatform(name)) found.add(name);
    }
  return found.size === 0 ? undefined : [...found].sort();
}
