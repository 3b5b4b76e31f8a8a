import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Digest } from '../../core/index.ts';
import { hexOf } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import { digestMismatch, sizeMismatch, type Expected } from '../verify.ts';

/** explainWrite returns `oci/disk-full` for a full disk, and any other error as it is. */
export function explainWrite(error: unknown, directory: string): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') return error;
  return new AppError('oci/disk-full', 'machine', `no space left under ${directory}`, {
    cause: error,
    hint: 'free some disk space and run the command again; what was there before is untouched',
  });
}

/**
 * putBlob streams bytes into a temporary file beside the blobs, flushes it to the disk, and
 * renames it to its digest: a blob of that name is whole, whatever happened in between.
 */
export async function putBlob(
  host: Host,
  directory: string,
  bytes: AsyncIterable<Uint8Array>,
  expected?: Expected,
): Promise<Expected> {
  const file = await host.files.openTemporary(join(directory, 'blob'), { flush: true });
  const hash = createHash('sha256');
  let size = 0;
  try {
    await pipeline(
      bytes instanceof Readable ? bytes : Readable.from(bytes),
      async function* (source: AsyncIterable<Uint8Array>) {
        for await (const chunk of source) {
          size += chunk.length;
          if (expected !== undefined && size > expected.size) {
            throw sizeMismatch(expected.digest, expected.size, 'more');
          }
          hash.update(chunk);
          yield chunk;
        }
      },
      file.stream,
    );
    const digest = `sha256:${hash.digest('hex')}` as Digest;
    if (expected !== undefined && size < expected.size) {
      throw sizeMismatch(expected.digest, expected.size, `${size} bytes`);
    }
    if (expected !== undefined && digest !== expected.digest) throw digestMismatch('a blob', expected.digest, digest);
    await file.commit(join(directory, hexOf(digest)));
    return { digest, size };
  } catch (error) {
    await file.discard();
    throw explainWrite(error, directory);
  }
}
