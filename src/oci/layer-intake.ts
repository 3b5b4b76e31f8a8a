import { createHash } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Digest } from '../core/index.ts';
import { decompressError, decompressor, type Compression } from './decompress.ts';

/** What a layer of an archive turned out to be. */
export interface IntakeFacts {
  /** Of the bytes as they lay in the archive, compressed or not. */
  readonly digest: Digest;
  readonly size: number;
  readonly diffId: Digest;
}

/** LayerIntake takes a layer's bytes as they come, hashes them, and hands the plain bytes on. */
export class LayerIntake {
  private readonly outer = createHash('sha256');
  private readonly inner = createHash('sha256');
  private readonly stream: Duplex | undefined;
  private readonly name: string;
  private readonly sink: (chunk: Buffer) => Promise<void> | void;
  private readonly unpacked: Promise<void>;
  private size = 0;

  constructor(name: string, compression: Compression, sink: (chunk: Buffer) => Promise<void> | void) {
    this.name = name;
    this.sink = sink;
    this.stream = compression === 'none' ? undefined : decompressor(compression);
    this.unpacked = this.stream === undefined ? Promise.resolve() : this.unpack(this.stream);
    this.unpacked.catch(() => undefined);
  }

  private async unpack(stream: Duplex): Promise<void> {
    try {
      for await (const chunk of stream) await this.plain(chunk as Buffer);
    } catch (error) {
      stream.destroy();
      throw decompressError(error, this.name);
    }
  }

  private async plain(chunk: Buffer): Promise<void> {
    this.inner.update(chunk);
    await this.sink(chunk);
  }

  async write(chunk: Buffer): Promise<void> {
    this.outer.update(chunk);
    this.size += chunk.length;
    const { stream } = this;
    if (stream === undefined) {
      await this.plain(chunk);
    } else if (stream.destroyed) {
      await this.unpacked;
    } else if (!stream.write(chunk)) {
      const drained = new Promise((resolve) => stream.once('drain', resolve));
      await Promise.race([drained, this.unpacked]);
    }
  }

  async finish(): Promise<IntakeFacts> {
    this.stream?.end();
    await this.unpacked;
    return {
      digest: `sha256:${this.outer.digest('hex')}` as Digest,
      size: this.size,
      diffId: `sha256:${this.inner.digest('hex')}` as Digest,
    };
  }

  discard(): void {
    this.stream?.destroy();
  }
}
