import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { AppError } from '../errors/index.ts';
import type { Digest } from '../core/index.ts';

/** digestOfStream hashes a stream as it passes. Throws `checksums/too-large` past `limit` bytes. */
export async function digestOfStream(
  stream: Readable,
  limit: number,
  source: string,
): Promise<{ digest: Digest; size: number }> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of stream) {
    const bytes = chunk as Uint8Array;
    size += bytes.byteLength;
    if (size > limit) {
      stream.destroy();
      throw new AppError('checksums/too-large', 'upstream', 'more bytes than expected', {
        expected: `at most ${limit} bytes`,
        found: source,
      });
    }
    hash.update(bytes);
  }
  return { digest: `sha256:${hash.digest('hex')}` as Digest, size };
}
