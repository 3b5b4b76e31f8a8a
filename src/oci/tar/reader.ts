import { tarError, type TarEntry, type TarType } from './entry.ts';
import { blockSize, decodeHeader, hasContent, isZeroBlock, typeOf, type RawHeader } from './header.ts';
import { checkNumbers, decodePax, maxPaxBytes, paxInteger, paxTime } from './pax.ts';
import { safeInteger } from './number.ts';
import { SparseFile } from './sparse.ts';

/** TarSink is called for every member in order; the calls are synchronous and chunks are not kept. */
export interface TarSink {
  entry(entry: TarEntry): void;
  /** Part of the content of the last entry. */
  data?(chunk: Buffer): void;
  /** After the content of each entry, also of an empty one. */
  end?(): void;
  /** A global PAX header: nothing in it applies to a member, but engines treat its name as a path. */
  global?(name: string): void;
  /** true: sparse files are expanded, and `size` and `data` are of the expanded file. Otherwise they are refused. */
  readonly expandSparse?: boolean | undefined;
}

const none: ReadonlyMap<string, string> = new Map();

/**
 * TarReader is a push parser for tar archives that come from outside. It reads them as Go's
 * archive/tar does, which is what every engine unpacks with: a global PAX header drops the `x`, `L`
 * and `K` headers before it, links and directories have no content whatever their size says, two zero
 * blocks are the end. A reader that differs would see another image than the one that runs; it may
 * only refuse more (docs/decisions/0005-layers-read-and-written.md lists what). Throws `oci/tar-*`.
 */
export class TarReader {
  private readonly sink: TarSink;
  private readonly partial = Buffer.alloc(blockSize);
  private filled = 0;
  private position = 0;
  private remaining = 0;
  private padding = 0;
  private zeroBlocks = 0;
  private special: { readonly flag: string; readonly name: string; parts: Buffer[] } | undefined;
  private sparse: SparseFile | undefined;
  /** What `x`, `L` and `K` headers say of the next member; empty long names leave its own. */
  private pax: ReadonlyMap<string, string> = none;
  private longName = '';
  private longLink = '';
  private pending = false;

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
   * Passes over the rest of the current member's content, for a caller that can seek: returns the
   * number of bytes that must not be written then. 0 while there is nothing to pass over.
   */
  skipContent(): number {
    if (this.special !== undefined || this.sparse !== undefined || this.remaining === 0) return 0;
    const length = this.remaining;
    this.position += length;
    this.remaining = 0;
    this.close();
    return length;
  }

  /**
   * Ends the archive. A missing end marker and missing padding are accepted, as Go accepts them; half
   * a member is not, nor a header that says something of a member that never comes.
   */
  finish(): void {
    if (this.filled > 0 || this.remaining > 0 || this.pending) {
      throw tarError('truncated', 'the tar archive ends in the middle of a member');
    }
  }

  private content(chunk: Buffer, at: number): number {
    const length = Math.min(this.remaining, chunk.length - at);
    const part = chunk.subarray(at, at + length);
    this.remaining -= length;
    this.position += length;
    if (this.special !== undefined) this.special.parts.push(Buffer.from(part));
    else if (this.sparse !== undefined) this.sparse.write(part);
    else this.sink.data?.(part);
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
      return;
    }
    if (this.zeroBlocks > 0) throw tarError('zero-block', 'a tar archive with a lone zero block before more members');
    const raw = decodeHeader(block);
    // Go looks at the header's own size before it merges what a PAX header says of it.
    if (raw.size < 0 && hasContent(raw.flag)) throw tarError('size', 'a tar member of negative size', raw.name);
    if (raw.flag === 'x' || raw.flag === 'g' || raw.flag === 'L' || raw.flag === 'K') {
      if (raw.size > maxPaxBytes) throw tarError('pax', `a tar extension header of ${raw.size} bytes`, raw.name);
      this.special = { flag: raw.flag, name: raw.name, parts: [] };
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
    const { special } = this;
    if (special !== undefined) {
      this.special = undefined;
      this.extend(special.flag, special.name, Buffer.concat(special.parts).toString('latin1'));
    } else {
      this.sparse?.end();
      this.sparse = undefined;
      this.sink.end?.();
    }
  }

  private extend(flag: string, name: string, body: string): void {
    this.pending = true;
    if (flag === 'x') this.pax = decodePax(body);
    else if (flag === 'L') this.longName = body.replace(/\0[^]*$/, '');
    else if (flag === 'K') this.longLink = body.replace(/\0[^]*$/, '');
    else {
      const records = decodePax(body);
      const path = records.get('path') ?? '';
      // Go stops merging at a malformed number, in the random order of its map: whether it takes the path cannot be known.
      if (path !== '') checkNumbers(records);
      this.forget();
      this.sink.global?.(path === '' ? name : path);
    }
  }

  private forget(): void {
    this.pending = false;
    this.pax = none;
    this.longName = '';
    this.longLink = '';
  }

  private member(raw: RawHeader): void {
    const { pax } = this;
    checkNumbers(pax);
    // A PAX record with an empty value leaves the header's own (POSIX, as Go reads it).
    const own = this.longName || pax.get('path') || raw.name;
    const link = this.longLink || pax.get('linkpath') || raw.link;
    const type = typeOf(raw.flag, own);
    const stored = type === 'file' ? paxInteger(pax, 'size', raw.size) : 0;
    if (stored < 0) throw tarError('size', 'a tar member of negative size', own);
    if (SparseFile.isSparse(pax)) this.sparse = this.expand(own, type, stored);
    const isDevice = type === 'character' || type === 'block';
    const entry = {
      name: this.sparse?.name || own,
      type,
      mode: raw.mode,
      uid: paxInteger(pax, 'uid', raw.uid),
      gid: paxInteger(pax, 'gid', raw.gid),
      size: this.sparse?.size ?? stored,
      mtime: paxTime(pax, 'mtime', raw.mtime),
      link: type === 'link' || type === 'symlink' ? link : '',
      devMajor: isDevice ? safeInteger(raw.devMajor, 'device number', own) : 0,
      devMinor: isDevice ? safeInteger(raw.devMinor, 'device number', own) : 0,
      xattrs: xattrsOf(pax),
      offset: this.position,
    };
    this.forget();
    this.sink.entry(entry);
    this.begin(stored);
  }

  private expand(name: string, type: TarType, stored: number): SparseFile {
    if (type !== 'file' || this.sink.expandSparse !== true) {
      throw tarError('sparse', 'a sparse file: the image spec advises against them', name);
    }
    return new SparseFile(this.pax, stored, (chunk) => this.sink.data?.(chunk));
  }
}

function xattrsOf(records: ReadonlyMap<string, string>): ReadonlyMap<string, string> | undefined {
  let xattrs: Map<string, string> | undefined;
  for (const [key, value] of records) {
    if (value === '' || !key.startsWith('SCHILY.xattr.')) continue;
    (xattrs ??= new Map()).set(key.slice('SCHILY.xattr.'.length), value);
  }
  return xattrs;
}
