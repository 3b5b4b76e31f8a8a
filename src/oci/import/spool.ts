import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { Digest } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import type { Host, TemporaryFile } from '../../host/index.ts';
import { decompressError, decompressor, type Compression } from '../decompress.ts';
import { TarReader } from '../tar/reader.ts';
import type { TarEntry } from '../tar/entry.ts';
import { digestMismatch } from '../verify.ts';

/** A layer's entries are kept in memory, about 300 bytes each, to be put in order. */
const maxEntries = 1_000_000;
/** No layer of a runner image comes near: beyond it lies a decompression bomb. */
const maxLayerBytes = 64 * 1024 ** 3;

/** SpooledLayer is an engine's layer, uncompressed in a temporary file, with its table of contents. */
export interface SpooledLayer {
  /** Of the bytes as they lay in the archive, compressed or not. */
  readonly digest: Digest;
  readonly size: number;
  readonly diffId: Digest;
  readonly entries: readonly TarEntry[];
  readonly path: string;
  discard(): Promise<void>;
}

/** LayerSpool takes a layer's bytes as they come, and measures, unpacks and indexes them on the way. */
export class LayerSpool {
  private readonly outer = createHash('sha256');
  private readonly inner = createHash('sha256');
  private readonly entries: TarEntry[] = [];
  private readonly tar: TarReader;
  private readonly file: TemporaryFile;
  private readonly stream: Duplex | undefined;
  private readonly name: string;
  private readonly unpacked: Promise<void>;
  private size = 0;
  private failure: unknown;

  private constructor(file: TemporaryFile, name: string, compression: Compression) {
    this.file = file;
    this.name = name;
    this.tar = new TarReader({
      entry: (entry) => {
        if (this.entries.length === maxEntries) {
          throw new AppError(
            'oci/too-many-entries',
            'upstream',
            `a layer of the engine's archive has too many entries`,
            {
              expected: `at most ${maxEntries}`,
            },
          );
        }
        this.entries.push(entry);
      },
    });
    this.stream = compression === 'none' ? undefined : decompressor(compression);
    this.unpacked = this.stream === undefined ? Promise.resolve() : this.unpack(this.stream);
    this.unpacked.catch(() => undefined);
  }

  static async open(host: Host, directory: string, name: string, compression: Compression): Promise<LayerSpool> {
    return new LayerSpool(await host.files.openTemporary(join(directory, 'layer')), name, compression);
  }

  private async unpack(stream: Duplex): Promise<void> {
    try {
      for await (const chunk of stream) await this.plain(chunk as Buffer);
    } catch (error) {
      this.failure = decompressError(error, this.name);
      stream.destroy();
      throw this.failure;
    }
  }

  private async plain(chunk: Buffer): Promise<void> {
    this.inner.update(chunk);
    this.tar.write(chunk);
    if (this.tar.bytes > maxLayerBytes) {
      throw new AppError('oci/too-large', 'upstream', 'a layer is too large', {
        expected: `at most ${maxLayerBytes} bytes`,
      });
    }
    if (this.file.stream.errored !== null) throw this.file.stream.errored;
    if (!this.file.stream.write(chunk)) await once(this.file.stream, 'drain');
  }

  async write(chunk: Buffer): Promise<void> {
    this.outer.update(chunk);
    this.size += chunk.length;
    if (this.stream === undefined) {
      await this.plain(chunk);
      return;
    }
    if (this.failure !== undefined) throw this.failure as Error;
    if (!this.stream.write(chunk)) await Promise.race([once(this.stream, 'drain'), this.unpacked]);
  }

  async finish(): Promise<SpooledLayer> {
    this.stream?.end();
    await this.unpacked;
    this.tar.finish();
    await new Promise<void>((resolve, reject) => {
      this.file.stream.once('error', reject);
      this.file.stream.end(resolve);
    });
    return {
      digest: `sha256:${this.outer.digest('hex')}` as Digest,
      size: this.size,
      diffId: `sha256:${this.inner.digest('hex')}` as Digest,
      entries: this.entries,
      path: this.file.path,
      discard: () => this.file.discard(),
    };
  }

  async discard(): Promise<void> {
    this.stream?.destroy();
    await this.file.discard();
  }
}

/** checkBlob holds a layer against the descriptor that named it. */
export function checkBlob(layer: SpooledLayer, expected: string): void {
  if (layer.digest !== expected) throw digestMismatch('a layer of the archive', expected, layer.digest);
}
