import { tarError, type TarType } from './entry.ts';

export const blockSize = 512;

export interface RawHeader {
  readonly flag: string;
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  readonly link: string;
  readonly devMajor: number;
  readonly devMinor: number;
}

function text(block: Buffer, start: number, length: number): string {
  const end = block.indexOf(0, start);
  return block.toString('latin1', start, end < 0 || end > start + length ? start + length : end);
}

/** Octal, or base 256 when the first bit is set (GNU): both as Go's archive/tar reads them. */
function number(block: Buffer, start: number, length: number): number {
  const first = block[start] ?? 0;
  if ((first & 0x80) !== 0) return base256(block, start, length);
  let value = 0;
  let index = start;
  const end = start + length;
  while (index < end && (block[index] === 0x20 || block[index] === 0)) index++;
  for (; index < end; index++) {
    const byte = block[index] ?? 0;
    if (byte === 0x20 || byte === 0) break;
    if (byte < 0x30 || byte > 0x37) throw tarError('number', 'a tar header holds a malformed number');
    value = value * 8 + (byte - 0x30);
  }
  return value;
}

function base256(block: Buffer, start: number, length: number): number {
  const negative = ((block[start] ?? 0) & 0x40) !== 0;
  let value = negative ? -1 : 0;
  for (let index = 0; index < length; index++) {
    let byte = block[start + index] ?? 0;
    if (index === 0) byte = negative ? byte | 0x80 : byte & 0x7f;
    value = value * 256 + byte;
  }
  if (!Number.isSafeInteger(value)) throw tarError('number', 'a tar header holds a number out of range');
  return value;
}

function checkSum(block: Buffer): void {
  let unsigned = 8 * 0x20;
  let signed = unsigned;
  for (let index = 0; index < blockSize; index++) {
    if (index >= 148 && index < 156) continue;
    const byte = block[index] ?? 0;
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  const stated = number(block, 148, 8);
  // Old tars summed signed bytes; every reader accepts both.
  if (stated !== unsigned && stated !== signed) {
    throw tarError('checksum', 'not a tar archive, or a damaged one: a header checksum is wrong');
  }
}

export function isZeroBlock(block: Buffer): boolean {
  for (let index = 0; index < blockSize; index++) if (block[index] !== 0) return false;
  return true;
}

/** decodeHeader reads one 512-byte header of the ustar, GNU or V7 format. Throws `oci/tar-*`. */
export function decodeHeader(block: Buffer): RawHeader {
  checkSum(block);
  const magic = block.toString('latin1', 257, 263);
  const posix = magic === 'ustar\0';
  const tagged = posix || magic === 'ustar ';
  let name = text(block, 0, 100);
  // GNU keeps times and sparse maps where ustar keeps the prefix; star keeps a shorter one.
  const star = posix && block.toString('latin1', 508, 512) === 'tar\0';
  const prefix = posix ? text(block, 345, star ? 131 : 155) : '';
  if (prefix !== '') name = `${prefix}/${name}`;
  const flag = String.fromCharCode(block[156] ?? 0);
  const device = tagged && (flag === '3' || flag === '4');
  return {
    flag,
    name,
    mode: number(block, 100, 8) & 0o7777,
    uid: number(block, 108, 8),
    gid: number(block, 116, 8),
    size: number(block, 124, 12),
    mtime: number(block, 136, 12),
    link: text(block, 157, 100),
    devMajor: device ? number(block, 329, 8) : 0,
    devMinor: device ? number(block, 337, 8) : 0,
  };
}

const types: Readonly<Record<string, TarType>> = {
  '0': 'file',
  '1': 'link',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
};

/** typeOf refuses what no engine unpacks: sparse members, multi-volume parts, unknown flags. */
export function typeOf(flag: string, name: string): TarType {
  if (flag === '\0') return name.endsWith('/') ? 'directory' : 'file';
  const type = types[flag];
  if (type !== undefined) return type;
  if (flag === 'S') throw tarError('sparse', 'a sparse file in a layer: the image spec advises against them', name);
  throw tarError('type', `a tar member of unknown type ${JSON.stringify(flag)}`, name);
}
