import type { TransformCallback } from 'node:stream';
import { constants, ZstdDecompress } from 'node:zlib';

/** What the format names (RFC 8878, sections 3.1.1 and 3.1.2). */
const frameMagic = 0xfd2fb528;
const isSkippable = (magic: number): boolean => (magic & 0xfffffff0) >>> 0 === 0x184d2a50;
const runBlock = 1;

/** The window that decoders must support for `--long=27`; a frame that wants more is refused, as zstd itself does. */
const maxWindowLog = 27;
export const maxWindow = 2 ** maxWindowLog;

/** isZstd reports whether the first four bytes of a stream begin a frame. */
export const isZstd = (magic: number): boolean => magic === frameMagic || isSkippable(magic);

/** damaged is the cause under `oci/compression`: what of the format does not hold. */
const damaged = (what: string): Error => new Error(`zstd: ${what}`);

/** Bytes of a frame's header after its first, the descriptor. */
function headerRest(descriptor: number): number {
  const singleSegment = (descriptor >> 5) & 1;
  const sizeFlag = descriptor >> 6;
  const contentSize = sizeFlag === 0 ? singleSegment : 1 << sizeFlag;
  return 1 - singleSegment + ([0, 1, 2, 4][descriptor & 3] ?? 0) + contentSize;
}

/** Part is a field whose value says how the frame goes on, or bytes to pass over. */
interface Part {
  readonly size: number;
  readonly isField: boolean;
}

const field = (size: number): Part => ({ size, isField: true });
const skip = (size: number): Part => ({ size, isField: false });
const begin = field(4);

/** Frames finds where the frames of a stream end. It decodes nothing. */
class Frames {
  /** Frames with content, skippable ones left out. */
  count = 0;
  private readonly parts = this.walk();
  private part = this.parts.next().value;
  private taken = 0;
  private value = 0;

  private *walk(): Generator<Part, never, number> {
    for (;;) {
      const magic = yield begin;
      if (isSkippable(magic)) {
        yield skip(yield field(4));
        continue;
      }
      if (magic !== frameMagic) throw damaged('these bytes begin no frame');
      this.count += 1;
      const descriptor = yield field(1);
      yield skip(headerRest(descriptor));
      for (let last = false; !last;) {
        const header = yield field(3);
        last = (header & 1) === 1;
        yield skip(((header >> 1) & 3) === runBlock ? 1 : header >> 3);
      }
      // A checksum, where the bit of value 4 is set: of four bytes.
      yield skip(descriptor & 4);
    }
  }

  get isBetween(): boolean {
    return this.part === begin && this.taken === 0;
  }

  /** Cuts a chunk behind each frame that ends in it. */
  cut(chunk: Buffer): Buffer[] {
    const pieces: Buffer[] = [];
    let start = 0;
    for (let at = 0; at < chunk.length;) {
      const end = Math.min(at + this.part.size - this.taken, chunk.length);
      for (; this.part.isField && at < end; at++) this.value += chunk.readUInt8(at) * 2 ** (8 * this.taken++);
      this.taken += end - at;
      at = end;
      while (this.taken === this.part.size) {
        this.part = this.parts.next(this.value).value;
        this.taken = 0;
        this.value = 0;
      }
      if (!this.isBetween) continue;
      pieces.push(chunk.subarray(start, at));
      start = at;
    }
    if (start < chunk.length) pieces.push(chunk.subarray(start));
    return pieces;
  }
}

/**
 * ZstdReader turns a zstd stream into plain bytes. Layers have many frames (zstd:chunked, pzstd), and node:zlib of Node 24
 * ends without an error after a frame that other bytes of the same write follow: so each write ends where a frame does.
 * Node 26 reads them all, and zlib's own stream can take over once 24 is given up.
 */
export class ZstdReader extends ZstdDecompress {
  private readonly frames = new Frames();

  constructor(chunkSize: number) {
    super({ chunkSize, params: { [constants.ZSTD_d_windowLogMax]: maxWindowLog } });
  }

  override _transform(chunk: Buffer, encoding: BufferEncoding, done: TransformCallback): void {
    let pieces: Iterator<Buffer>;
    try {
      pieces = this.frames.cut(chunk).values();
    } catch (error) {
      done(error as Error);
      return;
    }
    const next = (error?: Error | null): void => {
      const piece = pieces.next();
      if (piece.done === true || (error !== undefined && error !== null)) done(error);
      else super._transform(piece.value, encoding, next);
    };
    next();
  }

  override _flush(done: TransformCallback): void {
    if (!this.frames.isBetween) done(damaged('the stream ends within a frame'));
    else done(this.frames.count === 0 ? damaged('the stream holds no frame') : null);
  }
}
