import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import { decompressError, decompressor, sniff } from '../decompress.ts';
import { indexArchive, type ArchiveIndex } from './archive-index.ts';
import type { ImageSource } from './source.ts';

/** Uncompressed bytes of a whole archive, and how many for each compressed one past the first GiB: as for a layer. */
const maxBytes = 64 * 1024 ** 3;
const maxRatio = 1_500;

/**
 * unpackedArchive opens an archive file that may be compressed as a whole, as `docker save | gzip` makes it. Members
 * can be sought in plain files only, so a compressed one is unpacked into a private directory until it is closed.
 */
export async function unpackedArchive(
  host: Host,
  path: string,
  open: (archive: ArchiveIndex) => Promise<ImageSource>,
): Promise<ImageSource> {
  const stat = await host.files.stat(path);
  const kind = stat?.type === 'file' ? await compressionAt(host, path) : 'none';
  if (stat === undefined || kind === 'none') return open(await indexArchive(host, path));
  const directory = await host.files.temporaryDirectory('image-archive');
  const remove = () => host.files.remove(directory);
  const forget = host.onExit(remove);
  const close = async () => {
    forget();
    await remove();
  };
  try {
    const plain = join(directory, 'archive.tar');
    const file = await host.files.openTemporary(plain);
    await pipeline(host.files.openRead(path), decompressor(kind), limited(path, stat.size), file.stream).catch(
      (error: unknown) => {
        throw decompressError(error, path);
      },
    );
    await file.commit();
    // Errors name the file that the caller knows.
    const source = await open({ ...(await indexArchive(host, plain)), path });
    return { ...source, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function compressionAt(host: Host, path: string) {
  const parts: Buffer[] = [];
  for await (const part of host.files.openRead(path, { start: 0, end: 3 })) parts.push(part as Buffer);
  return sniff(Buffer.concat(parts));
}

function limited(path: string, compressed: number) {
  return async function* (source: Readable): AsyncGenerator<Buffer> {
    let size = 0;
    for await (const part of source) {
      size += (part as Buffer).length;
      if (size > maxBytes || (size > 1024 ** 3 && size > maxRatio * compressed))
        throw new AppError('oci/limit', 'upstream', `${path} unpacks to too many bytes`, {
          expected: `at most ${maxBytes} bytes, and ${maxRatio} for each compressed one`,
        });
      yield part as Buffer;
    }
  };
}
