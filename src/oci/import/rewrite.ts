import { createHash } from 'node:crypto';
import { mediaTypes, type Descriptor, type Digest } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import type { Layout } from '../layout/index.ts';
import type { TarEntry } from '../tar/entry.ts';
import { encodeHeader, endOfArchive, padding } from '../tar/writer.ts';
import { gzip, inBlocks } from './gzip.ts';
import { ordered, type OrderOptions } from './order.ts';
import type { SpooledLayer } from './spool.ts';

/** How far a reader skips ahead in an open file before it opens it anew elsewhere. */
const maxSkip = 4 * 1024 * 1024;

/** Ranges reads parts of one file; parts that follow each other share one open stream. */
class Ranges {
  private readonly host: Host;
  private readonly path: string;
  private parts: AsyncIterator<Buffer> | undefined;
  private rest = Buffer.alloc(0);
  private position = 0;

  constructor(host: Host, path: string) {
    this.host = host;
    this.path = path;
  }

  private async fill(): Promise<void> {
    const next = await this.parts?.next();
    if (next === undefined || next.done === true) {
      throw new AppError('oci/spool', 'machine', 'a temporary file is shorter than what was written to it');
    }
    this.rest = next.value as Buffer<ArrayBuffer>;
  }

  private take(length: number): Buffer {
    const part = this.rest.subarray(0, length);
    this.rest = this.rest.subarray(part.length);
    this.position += part.length;
    return part;
  }

  async *read(offset: number, length: number): AsyncGenerator<Buffer> {
    if (this.parts === undefined || offset < this.position || offset > this.position + maxSkip) {
      await this.close();
      this.parts = this.host.files
        .openRead(this.path, { start: offset })
        [Symbol.asyncIterator]() as AsyncIterator<Buffer>;
      this.position = offset;
    }
    for (let skip = offset - this.position; skip > 0;) {
      if (this.rest.length === 0) await this.fill();
      skip -= this.take(skip).length;
    }
    for (let left = length; left > 0;) {
      if (this.rest.length === 0) await this.fill();
      const part = this.take(left);
      left -= part.length;
      yield part;
    }
  }

  async close(): Promise<void> {
    await this.parts?.return?.();
    this.parts = undefined;
    this.rest = Buffer.alloc(0);
  }
}

/** layerTar writes the entries as a tar, their content read from where the engine's tar holds it. */
async function* layerTar(host: Host, path: string, entries: readonly TarEntry[]): AsyncGenerator<Buffer> {
  const ranges = new Ranges(host, path);
  try {
    for (const entry of entries) {
      yield encodeHeader(entry);
      if (entry.size === 0) continue;
      yield* ranges.read(entry.offset, entry.size);
      yield Buffer.alloc(padding(entry.size));
    }
    yield endOfArchive;
  } finally {
    await ranges.close();
  }
}

/** OwnLayer is a layer as this project writes it. */
export interface OwnLayer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}

/**
 * rewriteLayer writes an engine's layer anew, so that the same content has the same digest on
 * every engine: entries ordered and normalised, compressed by our own gzip. Undefined for a layer
 * without entries, which only some engines write.
 */
export async function rewriteLayer(
  host: Host,
  layout: Layout,
  layer: SpooledLayer,
  options: OrderOptions,
): Promise<OwnLayer | undefined> {
  const entries = ordered(layer.entries, options);
  if (entries.length === 0) return undefined;
  const hash = createHash('sha256');
  async function* hashed(): AsyncGenerator<Buffer> {
    for await (const block of inBlocks(layerTar(host, layer.path, entries))) {
      hash.update(block);
      yield block;
    }
  }
  const blob = await layout.put(gzip(hashed()));
  return {
    descriptor: { mediaType: mediaTypes.layerGzip, ...blob },
    diffId: `sha256:${hash.digest('hex')}` as Digest,
  };
}
