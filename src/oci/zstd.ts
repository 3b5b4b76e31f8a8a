import { Transform, type TransformCallback } from 'node:stream';
import { BlockDecoder } from './zstd-blocks.ts';
import {
  damaged,
  frameMagic,
  headerBytes,
  isSkippable,
  parseBlockHeader,
  parseFrameHeader,
  type BlockHeader,
  type FrameHeader,
} from './zstd-frame.ts';

type Step =
  | { readonly $case: 'magic' | 'descriptor' | 'skip-size' | 'block' | 'checksum' }
  | { readonly $case: 'header'; readonly descriptor: Buffer }
  | { readonly $case: 'body'; readonly block: BlockHeader; readonly header: Buffer };

interface Frame extends FrameHeader {
  produced: number;
}

/**
 * ZstdReader turns a zstd stream into plain bytes. node:zlib cannot: on Node 24 it ends without an error after the first
 * frame, and layers have many (zstd:chunked, pzstd). Node 26 reads them all, and can take over once 24 is given up.
 *
 * It walks frames and blocks itself, so that every frame's window is checked before anything is decoded, and no
 * more is held than the window, one block and what waits to be read. Checksums are passed over: a layer's
 * digest and diffID tell more.
 *
 * Errors: `oci/zstd-window`, and plain errors for a stream that is damaged or ends early.
 */
export class ZstdReader extends Transform {
  /** Bytes taken in so far, as zlib's streams count them. */
  bytesWritten = 0;
  private parts: Buffer[] = [];
  private held = 0;
  private skip = 0;
  private step: Step = { $case: 'magic' };
  private frame: Frame = { window: 0, contentSize: undefined, checksum: false, produced: 0 };
  private frames = 0;
  private wanted: (() => void) | undefined;
  private readonly decoder = new BlockDecoder();

  constructor() {
    super({ readableHighWaterMark: 1024 * 1024, writableHighWaterMark: 1024 * 1024 });
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.bytesWritten += chunk.length;
    this.parts.push(chunk);
    this.held += chunk.length;
    this.advance().then(() => done(), done);
  }

  override _flush(done: TransformCallback): void {
    if (this.step.$case !== 'magic' || this.held > 0 || this.skip > 0) done(damaged('the stream ends within a frame'));
    else done(this.frames === 0 ? damaged('the stream holds no frame') : null);
  }

  /** Thirty thousand blocks fit in one chunk and may swell to gigabytes: only what is read is decoded. */
  override _read(size: number): void {
    const { wanted } = this;
    this.wanted = undefined;
    if (wanted === undefined) super._read(size);
    else wanted();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.wanted?.();
    done(error);
  }

  private async advance(): Promise<void> {
    // Who refused a bomb destroys the stream: one more decoded piece would be one too many.
    while (!this.destroyed) {
      if (this.skip > 0) this.passOver();
      if (this.skip > 0) return;
      const bytes = this.cut(this.needed());
      if (bytes === undefined) return;
      this.step = await this.next(this.step, bytes);
    }
  }

  private async give(piece: Uint8Array): Promise<void> {
    if (piece.length === 0 || this.push(piece) || this.destroyed) return;
    await new Promise<void>((resolve) => (this.wanted = resolve));
  }

  private needed(): number {
    const { step } = this;
    if (step.$case === 'descriptor') return 1;
    if (step.$case === 'header') return headerBytes(step.descriptor.readUInt8(0)) - 1;
    if (step.$case === 'block') return 3;
    if (step.$case === 'body') return step.block.stored;
    return 4;
  }

  private async next(step: Step, bytes: Buffer): Promise<Step> {
    switch (step.$case) {
      case 'magic':
        if (isSkippable(bytes.readUInt32LE())) return { $case: 'skip-size' };
        if (bytes.readUInt32LE() === frameMagic) return { $case: 'descriptor' };
        throw damaged('these bytes begin no frame');
      case 'skip-size':
        this.skip = bytes.readUInt32LE();
        return { $case: 'magic' };
      case 'descriptor':
        return { $case: 'header', descriptor: bytes };
      case 'header':
        this.frame = { ...parseFrameHeader(Buffer.concat([step.descriptor, bytes])), produced: 0 };
        await this.decoder.begin(this.frame.window);
        return { $case: 'block' };
      case 'block':
        return { $case: 'body', block: parseBlockHeader(bytes), header: bytes };
      case 'body':
        await this.give(this.decode(step.block, step.header, bytes));
        if (!step.block.last) return { $case: 'block' };
        return { $case: this.frame.checksum ? 'checksum' : 'magic' };
      case 'checksum':
        return { $case: 'magic' };
    }
  }

  private decode({ last }: BlockHeader, header: Buffer, body: Buffer): Uint8Array {
    const { frame } = this;
    const piece = this.decoder.decode(header, body, last);
    frame.produced += piece.length;
    const { produced, contentSize = produced } = frame;
    if (produced > contentSize || (last && produced < contentSize))
      throw damaged(`a frame of ${contentSize} bytes holds ${last ? '' : 'at least '}${produced}`);
    if (last) this.frames += 1;
    return piece;
  }

  /** Forgets what a skippable frame holds. */
  private passOver(): void {
    const size = Math.min(this.skip, this.held);
    if (size > 0) this.cut(size);
    this.skip -= size;
  }

  private cut(size: number): Buffer | undefined {
    if (this.held < size) return undefined;
    const [only] = this.parts;
    const all = this.parts.length === 1 && only !== undefined ? only : Buffer.concat(this.parts);
    this.held -= size;
    this.parts = this.held === 0 ? [] : [all.subarray(size)];
    return all.subarray(0, size);
  }
}
