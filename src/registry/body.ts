import type { Readable } from 'node:stream';
import { collectBytes } from '../core/bytes.ts';
import type { FetchResponse } from '../host/index.ts';
import { AppError } from '../errors/index.ts';

/** discard frees the connection: what is left of a small body is read, a large one is cut. */
export async function discard(body: Readable): Promise<void> {
  let size = 0;
  body.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > 64 * 1024) body.destroy();
  });
  // The answer was already known from the status; how its body ends changes nothing.
  if (!body.closed) await new Promise<void>((resolve) => body.once('error', resolve).once('close', resolve));
}

/**
 * readBody reads a whole body of at most `limit` bytes. Throws `registry/too-large` as soon as the
 * header or the bytes say so, without reading on.
 */
export async function readBody(response: FetchResponse, limit: number, what: string): Promise<Buffer> {
  const announced = Number(response.headers.get('content-length') ?? '0');
  const tooLarge = (size: string): AppError =>
    new AppError('registry/too-large', 'upstream', `${what} is too large`, {
      expected: `at most ${limit} bytes`,
      found: size,
      hint: 'registries do not serve such documents: check that the reference names what you mean',
    });
  const bytes = announced > limit ? undefined : await collectBytes(response.body, limit);
  if (bytes !== undefined) return bytes;
  response.body.destroy();
  throw tooLarge(announced > limit ? `${announced} bytes announced` : `more than ${limit} bytes`);
}

/** readSome returns the first bytes of an error body as text; a broken body is an empty one. */
export async function readSome(body: Readable, limit = 16 * 1024): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body) {
      chunks.push(chunk as Buffer);
      size += (chunk as Buffer).length;
      if (size >= limit) break;
    }
  } catch {
    // What came is shown; the status alone decides what happens.
  }
  body.destroy();
  return Buffer.concat(chunks).subarray(0, limit).toString('utf8');
}
