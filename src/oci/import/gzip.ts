import { crc32, constants, deflateRaw } from 'node:zlib';

/** Uncompressed bytes per block; the last 32 KiB of one block are the next one's dictionary. */
const blockBytes = 1024 * 1024;
const windowBytes = 32 * 1024;
/** Blocks compressed at once, on Node's thread pool: enough to keep its four threads busy. */
const atOnce = 4;

/** Chosen by measurement: docs/decisions/0005-layers-read-and-written.md. */
export const gzipLevel = 4;

/** RFC 1952: no flags, no time, no extra flags, operating system unknown: nothing of this machine. */
const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);

function deflateBlock(block: Buffer, dictionary: Buffer | undefined, last: boolean, level: number): Promise<Buffer> {
  const finishFlush = last ? constants.Z_FINISH : constants.Z_SYNC_FLUSH;
  return new Promise((resolve, reject) => {
    const options = { level, finishFlush, dictionary };
    deflateRaw(block, options, (error, result) => {
      if (error === null) resolve(result);
      else reject(error);
    });
  });
}

/** inBlocks cuts a stream anew into blocks of one size; the last one may be shorter, or empty. */
export async function* inBlocks(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let block = Buffer.allocUnsafe(blockBytes);
  let filled = 0;
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length;) {
      const length = chunk.copy(block, filled, at);
      at += length;
      filled += length;
      if (filled < blockBytes) continue;
      yield block;
      block = Buffer.allocUnsafe(blockBytes);
      filled = 0;
    }
  }
  yield block.subarray(0, filled);
}

/**
 * gzip compresses a stream on all cores, as pigz does: blocks of fixed size, each primed with the
 * end of the one before. The result is one plain gzip member that depends on the bytes and the
 * level alone, never on the number of cores or on how the input was cut into chunks.
 */
export async function* gzip(source: AsyncIterable<Buffer>, level = gzipLevel): AsyncGenerator<Buffer> {
  yield header;
  const running: Promise<Buffer>[] = [];
  let crc = 0;
  let size = 0;
  let previous: Buffer | undefined;
  let held: Buffer | undefined;
  const start = (block: Buffer, last: boolean) => {
    const compressed = deflateBlock(block, previous?.subarray(-windowBytes), last, level);
    // A reader that stops leaves blocks behind, whose failure no caller awaits.
    compressed.catch(() => undefined);
    running.push(compressed);
    previous = block;
  };
  for await (const block of inBlocks(source)) {
    crc = crc32(block, crc);
    size += block.length;
    if (held !== undefined) start(held, false);
    held = block;
    if (running.length >= atOnce) yield (await running.shift()) ?? Buffer.alloc(0);
  }
  if (held !== undefined) start(held, true);
  for (const compressed of running) yield await compressed;
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc, 0);
  trailer.writeUInt32LE(size % 2 ** 32, 4);
  yield trailer;
}
