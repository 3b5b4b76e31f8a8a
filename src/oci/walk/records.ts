import type { TarEntry, TarType } from '../tar/entry.ts';
import type { LayerEntry } from './layer-entry.ts';

const types: readonly TarType[] = ['file', 'link', 'symlink', 'character', 'block', 'directory', 'fifo'];
/** Kind and flags, mode, uid, gid, size, and the lengths of name and link. */
const headBytes = 1 + 2 + 8 + 8 + 8 + 4 + 4;
const pageBytes = 256 * 1024;

/** Ids beyond 32 bits are kept as out of range, for the tree to refuse. */
const id = (value: number): number => (value >= 0 && value < 2 ** 32 ? value : -1);

/**
 * Records is a queue of a layer's entries as bytes, about 70 each: layers are read side by side,
 * but can be applied only in order, and objects in waiting would cost five times as much.
 */
export class Records {
  private pages: { readonly bytes: Buffer; used: number }[] = [];
  private total = 0;

  /** Bytes waiting. */
  get waiting(): number {
    return this.pages.length * pageBytes;
  }

  /** Entries ever added. */
  get added(): number {
    return this.total;
  }

  add(entry: TarEntry): void {
    const { name, link } = entry;
    const length = headBytes + name.length + link.length;
    let page = this.pages.at(-1);
    if (page === undefined || page.used + length > page.bytes.length) {
      page = { bytes: Buffer.allocUnsafe(Math.max(pageBytes, length)), used: 0 };
      this.pages.push(page);
    }
    const { bytes } = page;
    let at = page.used;
    const capabilities = entry.xattrs?.has('security.capability') === true;
    at = bytes.writeUInt8(types.indexOf(entry.type) | (capabilities ? 0x80 : 0), at);
    at = bytes.writeUInt16LE(entry.mode, at);
    at = bytes.writeDoubleLE(id(entry.uid), at);
    at = bytes.writeDoubleLE(id(entry.gid), at);
    at = bytes.writeDoubleLE(entry.size, at);
    // Names may be as long as a PAX header: 1 MiB. The tree refuses them with their path.
    at = bytes.writeUInt32LE(name.length, at);
    at = bytes.writeUInt32LE(link.length, at);
    at += bytes.write(name, at, 'latin1');
    at += bytes.write(link, at, 'latin1');
    page.used = at;
    this.total++;
  }

  /** Hands every waiting entry over, in order, and frees its memory page by page. */
  drain(take: (entry: LayerEntry) => void): void {
    const pages = [...this.pages].reverse();
    this.pages = [];
    for (let page = pages.pop(); page !== undefined; page = pages.pop()) {
      for (let at = 0; at < page.used;) at = readOne(page.bytes, at, take);
    }
  }
}

function readOne(bytes: Buffer, start: number, take: (entry: LayerEntry) => void): number {
  const flags = bytes.readUInt8(start);
  const nameLength = bytes.readUInt32LE(start + 27);
  const linkLength = bytes.readUInt32LE(start + 31);
  const nameAt = start + 35;
  const linkAt = nameAt + nameLength;
  take({
    type: types[flags & 0x7f] ?? 'file',
    capabilities: (flags & 0x80) !== 0,
    mode: bytes.readUInt16LE(start + 1),
    uid: bytes.readDoubleLE(start + 3),
    gid: bytes.readDoubleLE(start + 11),
    size: bytes.readDoubleLE(start + 19),
    name: bytes.toString('latin1', nameAt, linkAt),
    link: linkLength === 0 ? '' : bytes.toString('latin1', linkAt, linkAt + linkLength),
  });
  return linkAt + linkLength;
}
