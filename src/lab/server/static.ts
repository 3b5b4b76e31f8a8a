import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

export async function sendFile(root: string, path: string, response: ServerResponse): Promise<void> {
  const file = join(root, path);
  const found = await stat(file).catch(() => undefined);
  if (found?.isFile() !== true) {
    response.writeHead(404).end('not found\n');
    return;
  }
  response.writeHead(200, { 'content-length': found.size, 'content-type': 'application/octet-stream' });
  await pipeline(createReadStream(file), response);
}
