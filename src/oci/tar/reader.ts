import { tarError, type TarEntry } from './entry.ts';
import { blockSize, decodeHeader, isZeroBlock, typeOf, type RawHeader } from './header.ts';
import { decodePax, maxPaxBytes, paxInteger } from './pax.ts';

/** TarSink is told of every member in order; the calls are synchronous and chunks are not kept. */
export interface TarSink {
  entry(entry: TarEntry): void;
  /** Part of the content of the last entry. */
  data?(chunk: Buffer): void;
  /** After the content of each entry, also of an empty one. */
  end?(): void;
}

const none: ReadonlyMap<string, string> = new Map();

/**
 * TarReader is a push parser for tar archives that come from outside. It reads them as Go's
 * archive/tar does, which is what every engine unpacks with: global PAX headers change nothing,
 * links and directories have no content whatever their size says, two zero blocks are the end.
 * A reader that differs would see another image than the one that runs. Throws `oci/tar-*`.
 */
export class TarReader {
  private readonly sink: TarSink;
  private readonly partial = Buffer.alloc(blockSize);
  private filled = 0;
  private position = 0;
  private remaining = 0;
  private padding = 0;
  private open = false;
  private zeroBlocks = 0;
  private special: { readonly flag: string; parts: Buffer[] } | undefined;
  private pax: ReadonlyMap<string, string> = none;
  private longName: string | undefined;
  private longLink: string | undefined;

  constructor(sink: TarSink) {
    this.sink = sink;
  }

  /** Bytes read so far. */
  get bytes(): number {
    return this.position;
  }

  write(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.zeroBlocks >= 2) {
        this.position += chunk.length - at;
        return;
      }
      at +=
        this.remaining > 0 ? this.content(chunk, at) : this.padding > 0 ? this.skip(chunk, at) : this.block(chunk, at);
    }
  }

  /** Bytes left of the content of the current member. */
  get contentLeft(): number {
    return this.remaining;
  }

  /**
   * Passes over the rest of the current member's content, for whoever can seek: gives the bytes
   * that must not be written then. 0 while there is nothing to pass over.
   */
  skipContent(): number {
    if (this.special !== undefined || this.filled > 0) return 0;
    const length = this.remaining + this.padding;
    this.position += length;
    this.padding = 0;
    if (this.remaining > 0) {
      this.remaining = 0;
      this.close();
    }
    return length;
  }

  /** Ends the archive. A missing end marker is accepted, as Go accepts it; half a member is not. */
  finish(): void {
    if (this.filled > 0 || this.remaining > 0 || this.padding > 0 || this.special !== undefined || this.pending()) {
      throw tarError('truncated', 'the tar archive ends in the middle of a member');
    }
  }

  private pending(): boolean {
    return this.pax !== none || this.longName !== undefined || this.longLink !== undefined;
  }

  private content(chunk: Buffer, at: number): number {
    const length = Math.min(this.remaining, chunk.length - at);
    const part = chunk.subarray(at, at + length);
    this.remaining -= length;
    this.position += length;
    if (this.special === undefined) this.sink.data?.(part);
    else this.special.parts.push(Buffer.from(part));
    if (this.remaining === 0) this.close();
    return length;
  }

  private skip(chunk: Buffer, at: number): number {
    const length = Math.min(this.padding, chunk.length - at);
    this.padding -= length;
    this.position += length;
    return length;
  }

  private block(chunk: Buffer, at: number): number {
    if (this.filled === 0 && chunk.length - at >= blockSize) {
      this.position += blockSize;
      this.header(chunk.subarray(at, at + blockSize));
      return blockSize;
    }
    const length = Math.min(blockSize - this.filled, chunk.length - at);
    chunk.copy(this.partial, this.filled, at, at + length);
    this.filled += length;
    this.position += length;
    if (this.filled === blockSize) {
      this.filled = 0;
      this.header(this.partial);
    }
    return length;
  }

  private header(block: Buffer): void {
    if (block[0] === 0 && isZeroBlock(block)) {
      this.zeroBlocks++;
      if (this.zeroBlocks === 2 && this.pending())
        throw tarError('truncated', 'the tar archive ends after a PAX header');
      return;
    }
    if (this.zeroBlocks > 0) throw tarError('zero-block', 'a tar archive with a lone zero block before more members');
    const raw = decodeHeader(block);
    if (raw.size < 0) throw tarError('size', 'a tar member of negative size', raw.name);
    if (raw.flag === 'x' || raw.flag === 'g' || raw.flag === 'L' || raw.flag === 'K') {
      if (raw.size > maxPaxBytes) throw tarError('pax', `a tar extension header of ${raw.size} bytes`, raw.name);
      this.special = { flag: raw.flag, parts: [] };
      this.begin(raw.size);
    } else {
      this.member(raw);
    }
  }

  private begin(size: number): void {
    this.remaining = size;
    this.padding = (blockSize - (size % blockSize)) % blockSize;
    if (size === 0) this.close();
  }

  private close(): void {
    if (this.special === undefined) {
      if (this.open) this.sink.end?.();
      this.open = false;
      return;
    }
    const body = Buffer.concat(this.special.parts).toString('latin1');
    const { flag } = this.special;
    this.special = undefined;
    if (flag === 'x') this.pax = decodePax(body);
    else if (flag === 'L') this.longName = body.replace(/\0[^]*$/, '');
    else if (flag === 'K') this.longLink = body.replace(/\0[^]*$/, '');
  }

  private member(raw: RawHeader): void {
    const entry = this.merge(raw);
    this.pax = none;
    this.longName = undefined;
    this.longLink = undefined;
    this.open = true;
    this.sink.entry(entry);
    this.begin(entry.size);
  }

  private merge(raw: RawHeader): TarEntry {
    const { pax } = this;
    // A PAX record with an empty value leaves the header's own (POSIX, as Go reads it).
    const text = (key: string, own: string) => ((pax.get(key) ?? '') === '' ? own : (pax.get(key) ?? own));
    const name = this.longName ?? text('path', raw.name);
    const size = paxInteger(pax, 'size', raw.size);
    if (size < 0) throw tarError('size', 'a tar member of negative size', name);
    let xattrs: Map<string, string> | undefined;
    for (const [key, value] of pax) {
      if (key.startsWith('GNU.sparse.')) {
        throw tarError('sparse', 'a sparse file in a layer: the image spec advises against them', name);
      }
      if (key.startsWith('SCHILY.xattr.')) (xattrs ??= new Map()).set(key.slice('SCHILY.xattr.'.length), value);
    }
    const type = typeOf(raw.flag, name);
    return {
      name,
      type,
      mode: raw.mode,
      uid: paxInteger(pax, 'uid', raw.uid),
      gid: paxInteger(pax, 'gid', raw.gid),
      size: type === 'file' ? size : 0,
      mtime: paxInteger(pax, 'mtime', raw.mtime),
      link: type === 'link' || type === 'symlink' ? (this.longLink ?? text('linkpath', raw.link)) : '',
      devMajor: raw.devMajor,
      devMinor: raw.devMinor,
      ...(xattrs === undefined ? {} : { xattrs }),
      offset: this.position,
    };
  }
}
