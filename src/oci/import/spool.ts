import { once } from 'node:events';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { AppError } from '../../errors/index.ts';
import type { Host, TemporaryFile } from '../../host/index.ts';
import type { Compression } from '../decompress.ts';
import { LayerIntake, type IntakeFacts } from '../layer-intake.ts';
import { TarReader } from '../tar/reader.ts';
import type { TarEntry } from '../tar/entry.ts';

/** A layer's entries are kept in memory, about 300 bytes each, to be put in order. */
const maxEntries = 1_000_000;
/** No layer of a runner image comes near: beyond it lies a decompression bomb. */
const maxLayerBytes = 64 * 1024 ** 3;

/** SpooledLayer is an engine's layer, uncompressed in a temporary file, with its table of contents. */
export interface SpooledLayer extends IntakeFacts {
  readonly entries: readonly TarEntry[];
  readonly path: string;
  discard(): Promise<void>;
}

/** LayerSpool takes a layer's bytes as they come, and measures, unpacks and indexes them on the way. */
export class LayerSpool {
  private readonly entries: TarEntry[] = [];
  private readonly tar: TarReader;
  private readonly file: TemporaryFile;
  private readonly intake: LayerIntake;

  private constructor(file: TemporaryFile, name: string, compression: Compression) {
    this.file = file;
    this.tar = new TarReader({
      entry: (entry) => {
        if (this.entries.length === maxEntries) {
          throw new AppError(
            'oci/too-many-entries',
            'upstream',
            "a layer of the engine's archive has too many entries",
            {
              expected: `at most ${maxEntries}`,
            },
          );
        }
        this.entries.push(entry);
      },
    });
    this.intake = new LayerIntake(name, compression, (chunk) => this.plain(chunk));
  }

  static async open(host: Host, directory: string, name: string, compression: Compression): Promise<LayerSpool> {
    return new LayerSpool(await host.files.openTemporary(join(directory, 'layer')), name, compression);
  }

  private async plain(chunk: Buffer): Promise<void> {
    this.tar.write(chunk);
    if (this.tar.bytes > maxLayerBytes) {
      throw new AppError('oci/too-large', 'upstream', 'a layer is too large', {
        expected: `at most ${maxLayerBytes} bytes`,
      });
    }
    if (this.file.stream.errored !== null) throw this.file.stream.errored;
    if (!this.file.stream.write(chunk)) await once(this.file.stream, 'drain');
  }

  write(chunk: Buffer): Promise<void> {
    return this.intake.write(chunk);
  }

  async finish(): Promise<SpooledLayer> {
    const facts = await this.intake.finish();
    this.tar.finish();
    this.file.stream.end();
    // Also where it has failed already: then nothing more is emitted.
    await finished(this.file.stream);
    return { ...facts, entries: this.entries, path: this.file.path, discard: () => this.file.discard() };
  }

  async discard(): Promise<void> {
    this.intake.discard();
    await this.file.discard();
  }
}
