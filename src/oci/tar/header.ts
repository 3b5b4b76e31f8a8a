import { tarError, type TarType } from './entry.ts';
import { numeric, octal } from './number.ts';

export const blockSize = 512;

/** Numbers may be too large to be exact: `safeInteger` is for those that are used. */
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

function number(block: Buffer, start: number, length: number, what: string): number {
  const value = numeric(block, start, length);
  if (value !== undefined) return value;
  throw tarError('number', `a tar header holds a malformed number (${what})`, text(block, 0, 100));
}

/** The low bits of what may be a number of 64 bits, two's complement, of which a Number keeps only the high ones. */
function modeOf(block: Buffer): number {
  const value = number(block, 100, 8, 'mode');
  return (Number.isSafeInteger(value) ? value : block.readUInt16BE(106)) & 0o7777;
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
  const stated = octal(block, 148, 8);
  // Old tars summed signed bytes; every reader accepts both.
  if (stated !== unsigned && stated !== signed) {
    throw tarError('checksum', 'not a tar archive, or a damaged one: a header checksum is wrong');
  }
}

export function isZeroBlock(block: Buffer): boolean {
  for (let index = 0; index < blockSize; index++) if (block[index] !== 0) return false;
  return true;
}

type Format = 'v7' | 'ustar' | 'star' | 'gnu';

function formatOf(block: Buffer): Format {
  const magic = block.toString('latin1', 257, 265);
  if (magic.startsWith('ustar\0')) return block.toString('latin1', 508, 512) === 'tar\0' ? 'star' : 'ustar';
  return magic === 'ustar  \0' ? 'gnu' : 'v7';
}

function prefixOf(block: Buffer, format: Format): string {
  if (format === 'ustar') return text(block, 345, 155);
  if (format === 'star') return text(block, 345, 131);
  if (format === 'v7') return '';
  // GNU keeps times where ustar keeps the prefix. Go before 1.8 wrote a prefix all the same, so Go
  // takes for one whatever cannot be a time and is ASCII (golang.org/issues/12594).
  const isTime = (at: number): boolean => block[at] === 0 || numeric(block, at, 12) !== undefined;
  if (isTime(345) && isTime(357)) return '';
  const prefix = text(block, 345, 155);
  return /[\x80-\xff]/.test(prefix) ? '' : prefix;
}

/**
 * decodeHeader reads one 512-byte header of the ustar, star, GNU or V7 format, with Go's choice of
 * format and Go's idea of which fields must be numbers. Throws `oci/tar-*`.
 */
export function decodeHeader(block: Buffer): RawHeader {
  checkSum(block);
  const format = formatOf(block);
  const prefix = prefixOf(block, format);
  const name = text(block, 0, 100);
  const devMajor = format === 'v7' ? 0 : number(block, 329, 8, 'device number');
  const devMinor = format === 'v7' ? 0 : number(block, 337, 8, 'device number');
  if (format === 'star') for (const at of [476, 488]) number(block, at, 12, 'time');
  return {
    flag: String.fromCharCode(block[156] ?? 0),
    name: prefix === '' ? name : `${prefix}/${name}`,
    mode: modeOf(block),
    uid: number(block, 108, 8, 'uid'),
    gid: number(block, 116, 8, 'gid'),
    size: number(block, 124, 12, 'size'),
    mtime: number(block, 136, 12, 'mtime'),
    link: text(block, 157, 100),
    devMajor,
    devMinor,
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

/** hasContent is false for members that Go reads no content of, whatever size their header states. */
export const hasContent = (flag: string): boolean => flag < '1' || flag > '6';

/** typeOf refuses what no engine unpacks: GNU's old sparse members, multi-volume parts, unknown flags. */
export function typeOf(flag: string, name: string): TarType {
  if (flag === '\0') return name.endsWith('/') ? 'directory' : 'file';
  const type = types[flag];
  if (type !== undefined) return type;
  if (flag === 'S') throw tarError('sparse', 'a sparse file in GNU’s old format: no engine unpacks it', name);
  throw tarError('type', `a tar member of unknown type ${JSON.stringify(flag)}: no engine unpacks it`, name);
}
