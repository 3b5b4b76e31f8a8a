import type { Readable } from 'node:stream';
import { AppError } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import { connectDocker, unreachable } from './connect-docker.ts';
import { formatEndpoint, type Endpoint } from './endpoint.ts';

/**
 * loadImage brings an archive into an engine's store, so that its containers can be started from it. The
 * archive names the image. Throws `engines/load` when the engine refuses it; the result takes the name
 * away again and never touches what other names hold.
 */
export async function loadImage(
  host: Host,
  endpoint: Endpoint,
  archive: Readable,
  name: string,
): Promise<{ readonly name: string; remove(): Promise<void> }> {
  const { api } = await connectDocker(host, endpoint);
  await api.ping().catch((cause: unknown) => {
    archive.destroy();
    throw unreachable(endpoint, cause);
  });
  let broken: unknown;
  archive.once('error', (error) => (broken = error));
  const lines = await answer(await api.loadImage(archive, { quiet: 'true' })).catch((cause: unknown) => {
    // The archive's own failure (a blob that does not match its digest) is the better answer.
    throw broken instanceof Error ? broken : refused(endpoint, cause);
  });
  if (broken instanceof Error) throw broken;
  const error = lines.find((line) => line.includes('"error"'));
  if (error !== undefined) throw refused(endpoint, new Error(error.slice(0, 500)));
  const remove = async () => {
    await api
      .getImage(name)
      .remove()
      .catch((cause: unknown) => {
        if ((cause as { statusCode?: number | undefined }).statusCode !== 404) throw cause;
      });
  };
  const unregister = host.onExit(remove);
  return {
    name,
    async remove() {
      unregister();
      await remove();
    },
  };
}

async function answer(stream: NodeJS.ReadableStream): Promise<string[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8').split('\n').slice(0, 1000);
}

function refused(endpoint: Endpoint, cause: unknown): AppError {
  return new AppError('engines/load', 'machine', `the engine at ${formatEndpoint(endpoint)} did not take the image`, {
    cause,
    hint: 'look for a full disk (docker system df) and run it again',
  });
}

/** saveImage streams an image as the engine saves it. Throws `engines/no-image` when it is not there. */
export async function saveImage(host: Host, endpoint: Endpoint, name: string): Promise<Readable> {
  const client = await connectDocker(host, endpoint);
  await client.api.ping().catch((cause: unknown) => {
    throw unreachable(endpoint, cause);
  });
  return await client.save(name, host.signal).catch((cause: unknown) => {
    throw new AppError('engines/no-image', 'usage', `the engine has no image ${name}`, {
      expected: 'repository:tag or an image id that `docker images` shows',
      cause,
    });
  });
}
