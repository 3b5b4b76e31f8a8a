import type { Readable } from 'node:stream';
import { PassThrough, type Duplex } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { AppError } from '../errors/index.ts';
import { ownsChunks, release } from './release.ts';
import { Check, type Expected } from './verify.ts';
import { isZstd, maxWindow, ZstdReader } from './zstd.ts';

export type Compression = 'gzip' | 'zstd' | 'none';

/** Big chunks: 16 KiB ones, which are zlib's own choice, cost a third more. */
const chunkSize = 1024 * 1024;

/** So many bytes tell the compression. */
const magicBytes = 4;

/** sniff tells the compression by its first four bytes. */
export function sniff(start: Uint8Array): Compression {
  if (start[0] === 0x1f && start[1] === 0x8b) return 'gzip';
  if (start.length < 4) return 'none';
  return isZstd(Buffer.from(start.buffer, start.byteOffset, 4).readUInt32LE()) ? 'zstd' : 'none';
}

/** decompressor gives a stream that turns compressed bytes into plain ones. */
export function decompressor(kind: Compression): Duplex {
  if (kind === 'gzip') return createGunzip({ chunkSize });
  if (kind === 'zstd') return new ZstdReader(chunkSize);
  return new PassThrough({ highWaterMark: chunkSize });
}

export function decompressError(cause: unknown, what: string): AppError {
  if (cause instanceof AppError) return cause;
  if ((cause as NodeJS.ErrnoException).code === 'ZSTD_error_frameParameter_windowTooLarge')
    return new AppError('oci/zstd-window', 'upstream', `${what} holds a zstd frame with too large a window`, {
      expected: `at most ${maxWindow} bytes`,
      hint: 'compress the layer by zstd --long=27 at most',
      cause,
    });
  return new AppError('oci/compression', 'upstream', `${what} is cut short or damaged: it does not decompress`, {
    cause,
    hint: 'fetch or build the image again',
  });
}

/** Feeds a decompressor and reads the source to its very end, whatever the decompressor makes of it. */
async function feed(source: AsyncIterable<unknown>, own: boolean, check: Check, stream: Duplex): Promise<number> {
  let size = 0;
  for await (const part of source) {
    const chunk = part as Buffer;
    check.update(chunk);
    size += chunk.length;
    if (stream.destroyed || stream.readableEnded) continue;
    const done = (error: unknown) => {
      if (own && (error === undefined || error === null)) release(chunk);
    };
    if (!stream.write(chunk, done)) await writable(stream);
  }
  check.finish();
  stream.end();
  return size;
}

/** Ready for more, or never again: then there is nothing to wait for. */
async function writable(stream: Duplex): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = () => {
      for (const event of ['drain', 'close', 'end']) stream.off(event, done);
      resolve();
    };
    for (const event of ['drain', 'close', 'end']) stream.on(event, done);
  });
}

const names = { gzip: 'gzip', zstd: 'zstd', none: 'no compression' } as const;

/** containers/storage and containerd go by the bytes, umoci by the media type: where they differ, none is right. */
function anotherCompression(
  { digest, mediaType }: { readonly digest: string; readonly mediaType?: string | undefined },
  stated: Compression,
  found: Compression,
): AppError {
  return new AppError('oci/compression', 'upstream', `${digest} is not compressed as its media type says`, {
    expected: `${names[stated]}${mediaType === undefined ? '' : ` (${mediaType})`}`,
    found: `${names[found]}, by its first bytes`,
    hint: 'some engines go by the bytes and some by the media type: write the media type anew, or the layer',
  });
}

async function* from(start: readonly Buffer[], chunks: AsyncIterator<unknown>): AsyncGenerator {
  try {
    yield* start;
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
  } finally {
    await chunks.return?.();
  }
}

/**
 * plainBytes gives a blob's uncompressed bytes, holding the blob against its digest and size to
 * its last byte. Throws `oci/digest-mismatch`, `oci/size-mismatch`, `oci/compression`, also for
 * bytes after the end of the compressed stream, which engines refuse. A chunk is the caller's until
 * the next one is asked for; then its memory may be gone.
 */
export async function* plainBytes(
  source: Readable,
  kind: Compression,
  expected: Expected & { readonly mediaType?: string | undefined },
): AsyncGenerator<Buffer> {
  const check = new Check(expected);
  const own = ownsChunks(source);
  const chunks = source[Symbol.asyncIterator]();
  const start: Buffer[] = [];
  for (let length = 0; length < magicBytes;) {
    const next = await chunks.next();
    if (next.done === true) break;
    start.push(next.value as Buffer);
    length += (next.value as Buffer).length;
  }
  const whole = from(start, chunks);
  const magic = start.length === 1 ? start[0] : Buffer.concat(start);
  const found = magic === undefined || magic.length < magicBytes ? kind : sniff(magic);
  if (found !== kind) {
    // A wrong digest would explain it, and is the better error of the two.
    for await (const part of whole) check.update(part as Buffer);
    check.finish();
    throw anotherCompression(expected, kind, found);
  }
  if (kind === 'none') {
    for await (const part of whole) {
      const chunk = part as Buffer;
      check.update(chunk);
      yield chunk;
      if (own) release(chunk);
    }
    check.finish();
    return;
  }
  const stream = decompressor(kind);
  const fed = feed(whole, own, check, stream);
  fed.catch((error: unknown) => stream.destroy(error as Error));
  try {
    for await (const chunk of stream) {
      yield chunk as Buffer;
      release(chunk as Buffer);
    }
  } catch (error) {
    // A wrong digest explains a stream that does not decompress; it is the better error of the two.
    source.resume();
    throw await fed.then(
      () => decompressError(error, expected.digest),
      (cause: unknown) => (cause instanceof AppError ? cause : decompressError(error, expected.digest)),
    );
  } finally {
    stream.destroy();
  }
  const size = await fed;
  const { bytesWritten } = stream as unknown as { readonly bytesWritten: number };
  if (bytesWritten < size) {
    throw decompressError(new Error(`${size - bytesWritten} bytes follow the compressed stream`), expected.digest);
  }
}
