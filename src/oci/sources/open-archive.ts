import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { blobPath, type Descriptor } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import { decompressError, decompressor, sniff, type Compression } from '../decompress.ts';
import { explainWrite } from '../layout/put.ts';
import { indexArchive, type ArchiveIndex } from './archive-index.ts';
import { dockerArchiveSource, ociArchiveSource } from './archive-source.ts';
import type { ImageSource } from './source.ts';

/** Uncompressed bytes of a whole archive, and how many for each compressed one past the first GiB: as for a layer. */
const maxBytes = 64 * 1024 ** 3;
const maxRatio = 1_500;

type OpenArchive = (archive: ArchiveIndex) => Promise<ImageSource>;

/**
 * openArchive opens an archive file that may be compressed as a whole, as `docker save | gzip` makes it. Members
 * can be sought in plain files only, so a compressed one is unpacked into a private directory until it is closed.
 */
export async function openArchive(host: Host, path: string, open: OpenArchive): Promise<ImageSource> {
  const stat = await host.files.stat(path);
  const kind = stat?.type === 'file' ? await compressionAt(host, path) : 'none';
  if (stat === undefined || kind === 'none') return open(await indexArchive(host, path));
  const limit = Math.min(maxBytes, Math.max(1024 ** 3, maxRatio * stat.size));
  return openCopy(host, { name: path, bytes: host.files.openRead(path), compression: kind, limit }, open);
}

/** StreamedArchive is an archive whose bytes come once. */
interface StreamedArchive {
  /** As errors name it. */
  readonly name: string;
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly compression?: Compression | undefined;
  /** Uncompressed bytes at the most. */
  readonly limit?: number | undefined;
  /** Where a copy lies until it is closed; without one, in a private temporary directory. */
  readonly directory?: string | undefined;
}

/** openEngineArchive opens what an engine streams: an OCI layout or what `docker save` writes; one that is both is read as the first. */
export function openEngineArchive(host: Host, streamed: StreamedArchive): Promise<ImageSource> {
  const { name } = streamed;
  return openCopy(host, streamed, async (archive) => {
    if (archive.has('index.json')) {
      const has = ({ digest }: Descriptor) => archive.has(blobPath(digest));
      return { ...(await ociArchiveSource(archive, undefined)), name, has };
    }
    if (archive.has('manifest.json')) return { ...(await dockerArchiveSource(archive, undefined)), name };
    throw new AppError('oci/archive', 'upstream', `${name} is no image archive`, {
      expected: 'index.json (OCI) or manifest.json (docker save) in it',
      found: archive.names().slice(0, 5).join(', ') || 'nothing',
    });
  });
}

/** Copies an archive to a plain file, opens that, and removes it with the source. */
async function openCopy(host: Host, streamed: StreamedArchive, open: OpenArchive): Promise<ImageSource> {
  const { name, bytes, compression = 'none', limit = maxBytes } = streamed;
  const directory = streamed.directory ?? (await host.files.temporaryDirectory('image-archive'));
  const file = await host.files.openTemporary(join(directory, 'archive'));
  const remove = () => (streamed.directory === undefined ? host.files.remove(directory) : file.discard());
  const forget = host.onExit(remove);
  const close = async () => {
    forget();
    await remove();
  };
  try {
    await pipeline(bytes, decompressor(compression), limited(name, limit), file.stream);
    return { ...(await open(await indexArchive(host, file.path, name))), close };
  } catch (error) {
    await close();
    const explained = explainWrite(error, directory);
    throw compression === 'none' ? explained : decompressError(explained, name);
  }
}

async function compressionAt(host: Host, path: string) {
  const parts: Buffer[] = [];
  for await (const part of host.files.openRead(path, { start: 0, end: 3 })) parts.push(part as Buffer);
  return sniff(Buffer.concat(parts));
}

function limited(name: string, limit: number) {
  return async function* (bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let size = 0;
    for await (const chunk of bytes) {
      size += chunk.length;
      if (size > limit)
        throw new AppError('oci/limit', 'upstream', `${name} unpacks to too many bytes`, {
          expected: `at most ${maxBytes} bytes, and ${maxRatio} for each compressed one`,
        });
      yield chunk;
    }
  };
}
