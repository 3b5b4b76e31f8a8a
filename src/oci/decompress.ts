import type { Readable } from 'node:stream';
import { PassThrough, type Duplex } from 'node:stream';
import * as zlib from 'node:zlib';
import { AppError } from '../errors/index.ts';

export type Compression = 'gzip' | 'zstd' | 'none';

/** Big chunks: 16 KiB ones, which are zlib's own choice, cost a third more. */
const chunkSize = 1024 * 1024;

/** sniff tells the compression by its first four bytes. */
export function sniff(start: Uint8Array): Compression {
  if (start[0] === 0x1f && start[1] === 0x8b) return 'gzip';
  if (start[0] === 0x28 && start[1] === 0xb5 && start[2] === 0x2f && start[3] === 0xfd) return 'zstd';
  return 'none';
}

interface MaybeZstd {
  createZstdDecompress?: (options?: object) => Duplex;
}

/** Node has zstd from 22.15 on; on Node 20 it is refused with a sentence that says so. */
function zstd(): Duplex {
  const { createZstdDecompress } = zlib as unknown as MaybeZstd;
  if (createZstdDecompress !== undefined) return createZstdDecompress({ chunkSize });
  throw new AppError('oci/zstd', 'machine', 'a layer is compressed with zstd, which this Node.js cannot read', {
    found: `Node.js ${process.versions.node}`,
    expected: 'Node.js 22.15 or newer',
    hint: 'run the command with a newer Node.js, or have the image made with gzip layers',
  });
}

/** decompressor gives a stream that turns compressed bytes into plain ones. Throws `oci/zstd`. */
export function decompressor(kind: Compression): Duplex {
  if (kind === 'gzip') return zlib.createGunzip({ chunkSize });
  if (kind === 'zstd') return zstd();
  return new PassThrough({ highWaterMark: chunkSize });
}

export function decompressError(cause: unknown, what: string): AppError {
  if (cause instanceof AppError) return cause;
  return new AppError('oci/compression', 'upstream', `${what} is cut short or damaged: it does not decompress`, {
    cause,
    hint: 'fetch or build the image again',
  });
}

/** plainBytes reads a blob's uncompressed bytes. */
export async function* plainBytes(source: Readable, kind: Compression, what: string): AsyncGenerator<Buffer> {
  const stream = decompressor(kind);
  let failed: unknown;
  source.on('error', (error) => {
    failed = error;
    stream.destroy(error);
  });
  source.pipe(stream);
  try {
    for await (const chunk of stream) yield chunk as Buffer;
  } catch (error) {
    throw failed === error ? error : decompressError(error, what);
  } finally {
    source.destroy();
    stream.destroy();
  }
}
