import type { Decompress } from 'fzstd';
import { damaged, maxBlock, openingHeader } from './zstd-frame.ts';

/** What fzstd 0.1.1 keeps of a frame under way: its window, and how far a match may reach into it. */
interface Inner {
  readonly s?: { w: Uint8Array; e: number } | number | null | undefined;
}

/** History keeps the last bytes of a frame in one buffer, which serves every frame of a stream. */
class History {
  private buffer = Buffer.alloc(0);
  private end = 0;
  private window = 0;

  /** A quarter more than the window, so that moving it costs four bytes for one. Never uninitialised memory. */
  begin(window: number): void {
    const size = window + Math.max(window >> 2, 2 * maxBlock);
    if (this.buffer.length < size) this.buffer = Buffer.alloc(size);
    this.window = window;
    this.end = 0;
  }

  append(piece: Uint8Array): void {
    if (this.end + piece.length > this.buffer.length) {
      this.buffer.copyWithin(0, this.end - this.window, this.end);
      this.end = this.window;
    }
    this.buffer.set(piece, this.end);
    this.end += piece.length;
  }

  view(): Buffer {
    return this.buffer.subarray(Math.max(0, this.end - this.window), this.end);
  }
}

/**
 * BlockDecoder decodes a frame's blocks, one whole block a call, with fzstd. Left alone, fzstd allocates
 * the window for every frame and moves all of it for every block: under `--long=27` that was a thousand
 * times the layer's bytes, and a crafted layer of tiny blocks would have kept it busy for hours. So it
 * is handed the window before each block, and an empty stand-in to move about after it. This leans on two
 * private fields of that one version, which package.json pins; it fails closed when they are not there.
 */
export class BlockDecoder {
  private readonly history = new History();
  private readonly scratch = Buffer.alloc(3 + maxBlock);
  private readonly standIn = new Uint8Array(maxBlock);
  private decoder: Decompress | undefined;
  private piece: Uint8Array = new Uint8Array(0);

  async begin(window: number): Promise<void> {
    const { Decompress } = await import('fzstd');
    this.history.begin(window);
    this.decoder = new Decompress((piece) => {
      // Before fzstd moves its window; and once more, empty, at the end of the frame.
      if (piece.length === 0) return;
      this.piece = piece;
      this.frame().w = this.standIn;
    });
    this.decoder.push(openingHeader());
  }

  /** decode gives what a block holds; the bytes are the caller's. Throws plain errors for damage. */
  decode(header: Uint8Array, body: Uint8Array, last: boolean): Uint8Array {
    if (this.decoder === undefined) throw new TypeError('no frame was begun');
    const frame = this.frame();
    frame.w = this.history.view();
    frame.e = frame.w.length;
    this.piece = new Uint8Array(0);
    // fzstd keeps a view of every block that it was given: of one and the same buffer, here.
    this.scratch.set(header);
    this.scratch.set(body, header.length);
    this.decoder.push(this.scratch.subarray(0, header.length + body.length), last);
    if (this.piece.length > maxBlock) throw damaged('a block holds more than 128 KiB');
    this.history.append(this.piece);
    return this.piece;
  }

  private frame(): { w: Uint8Array; e: number } {
    const { s } = this.decoder as unknown as Inner;
    if (typeof s === 'object' && s !== null && s.w instanceof Uint8Array && typeof s.e === 'number') return s;
    throw new TypeError('this version of fzstd is built in another way');
  }
}
