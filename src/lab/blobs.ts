import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { randomUUID } from 'node:crypto';
import { sorted, tarOf, type TarEntry } from './entries.ts';

export interface Blob {
  readonly digest: string;
  readonly size: number;
}
export interface Layer extends Blob {
  /** Digest of the uncompressed tar. */
  readonly diffId: string;
}

function counting(): { readonly stream: Transform; result(): Blob } {
  const hash = createHash('sha256');
  let size = 0;
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      hash.update(chunk);
      size += chunk.length;
      callback(null, chunk);
    },
  });
  return { stream, result: () => ({ digest: `sha256:${hash.digest('hex')}`, size }) };
}

/** BlobStore keeps blobs by digest under the cache; the registry is filled from it. */
export class BlobStore {
  readonly directory: string;

  constructor(cache: string) {
    this.directory = join(cache, 'blobs');
  }

  path(digest: string): string {
    return join(this.directory, digest.replace('sha256:', ''));
  }

  read(digest: string): NodeJS.ReadableStream {
    return createReadStream(this.path(digest));
  }

  async addJson(value: unknown): Promise<Blob> {
    const bytes = Buffer.from(JSON.stringify(value));
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    await mkdir(this.directory, { recursive: true });
    await writeFile(this.path(digest), bytes);
    return { digest, size: bytes.length };
  }

  /** Sorted, fixed times, fixed gzip header: the same entries give the same digest. */
  async addLayer(entries: Iterable<TarEntry>): Promise<Layer> {
    await mkdir(this.directory, { recursive: true });
    const partial = join(this.directory, `partial-${randomUUID()}`);
    const [plain, packed] = [counting(), counting()];
    const archive = tarOf(sorted(entries));
    await pipeline(archive, plain.stream, createGzip({ level: 4 }), packed.stream, createWriteStream(partial));
    const blob = packed.result();
    await rename(partial, this.path(blob.digest));
    return { ...blob, diffId: plain.result().digest };
  }
}
