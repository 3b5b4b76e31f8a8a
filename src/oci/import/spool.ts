import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { algorithmOf, type Descriptor, type Digest } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import { plainBytes } from '../decompress.ts';
import { compressionOf } from '../layer-types.ts';
import { explainWrite } from '../layout/put.ts';
import { TarReader } from '../tar/reader.ts';
import type { TarEntry } from '../tar/entry.ts';
import { digestMismatch } from '../verify.ts';

/** A layer's entries are kept in memory, about 300 bytes each, to be put in order. */
const maxEntries = 1_000_000;
/** No layer of a runner image comes near: beyond it lies a decompression bomb. */
const maxLayerBytes = 64 * 1024 ** 3;

/** SpooledLayer is an engine's layer, uncompressed in a temporary file, with its table of contents. */
export interface SpooledLayer {
  readonly entries: readonly TarEntry[];
  readonly path: string;
  discard(): Promise<void>;
}

/** spoolLayer unpacks and indexes a layer, and verifies digest, size and diffID on the way. */
export async function spoolLayer(
  host: Host,
  directory: string,
  source: Readable,
  layer: Descriptor,
  diffId: Digest,
): Promise<SpooledLayer> {
  const entries: TarEntry[] = [];
  const tar = new TarReader({
    entry(entry) {
      if (entries.length === maxEntries)
        throw new AppError('oci/too-many-entries', 'upstream', "a layer of the engine's archive has too many entries", {
          expected: `at most ${maxEntries}`,
        });
      entries.push(entry);
    },
  });
  const hash = createHash(algorithmOf(diffId));
  async function* indexed(): AsyncGenerator<Buffer> {
    for await (const chunk of plainBytes(source, compressionOf(layer), layer)) {
      tar.write(chunk);
      if (tar.bytes > maxLayerBytes)
        throw new AppError('oci/too-large', 'upstream', 'a layer is too large', {
          expected: `at most ${maxLayerBytes} bytes`,
        });
      hash.update(chunk);
      // A chunk is the reader's only until the next one is asked for, and a file's stream writes later.
      yield Buffer.from(chunk);
    }
    tar.finish();
    const found = `${algorithmOf(diffId)}:${hash.digest('hex')}`;
    if (found !== diffId) throw digestMismatch(`the content of layer ${layer.digest}`, diffId, found);
  }
  const file = await host.files.openTemporary(join(directory, 'layer'));
  try {
    await pipeline(indexed, file.stream);
  } catch (error) {
    await file.discard();
    throw explainWrite(error, directory);
  }
  return { entries, path: file.path, discard: () => file.discard() };
}
