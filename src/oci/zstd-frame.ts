import { AppError } from '../errors/index.ts';

/** What the format names (RFC 8878, sections 3.1.1 and 3.1.2). */
export const frameMagic = 0xfd2fb528;
export const isSkippable = (magic: number): boolean => (magic & 0xfffffff0) >>> 0 === 0x184d2a50;
export const maxBlock = 128 * 1024;

/** The window that decoders must support for `--long=27`; a layer that wants more is refused, as zstd itself does. */
export const maxWindow = 128 * 1024 * 1024;

export interface FrameHeader {
  /** Bytes that a match may reach back. */
  readonly window: number;
  /** Bytes of the frame's content, where the frame says so. */
  readonly contentSize: number | undefined;
  /** Four bytes of checksum follow the last block. */
  readonly checksum: boolean;
}

export interface BlockHeader {
  readonly last: boolean;
  /** Bytes that follow the three of the header. */
  readonly stored: number;
}

/** damaged is the cause under `oci/compression`: what of the format does not hold. */
export const damaged = (what: string): Error => new Error(`zstd: ${what}`);

const contentSizeBytes = (descriptor: number): number => {
  const flag = descriptor >> 6;
  return flag === 0 ? (descriptor >> 5) & 1 : 1 << flag;
};

const dictionaryBytes = (descriptor: number): number => [0, 1, 2, 4][descriptor & 3] ?? 0;

/** headerBytes gives the header's size, by its first byte. */
export function headerBytes(descriptor: number): number {
  const windowByte = (descriptor & 0x20) === 0 ? 1 : 0;
  return 1 + windowByte + dictionaryBytes(descriptor) + contentSizeBytes(descriptor);
}

/** parseFrameHeader reads what follows the magic. Throws `oci/zstd-window` and plain errors for damage. */
export function parseFrameHeader(bytes: Buffer): FrameHeader {
  const descriptor = bytes.readUInt8(0);
  if ((descriptor & 8) !== 0) throw damaged('a reserved bit is set in a frame header');
  const singleSegment = (descriptor & 0x20) !== 0;
  let at = singleSegment ? 1 : 2;
  const dictionary = dictionaryBytes(descriptor);
  if (dictionary > 0 && bytes.readUIntLE(at, dictionary) !== 0) throw damaged('a frame needs a dictionary');
  at += dictionary;
  const contentSize = parseContentSize(bytes, at, contentSizeBytes(descriptor));
  const window = singleSegment ? (contentSize ?? 0) : parseWindow(bytes.readUInt8(1));
  if (window <= maxWindow) return { window, contentSize, checksum: (descriptor & 4) !== 0 };
  throw new AppError('oci/zstd-window', 'upstream', 'a zstd frame wants more memory than a reader gives', {
    expected: `a window of at most ${maxWindow} bytes`,
    found: `${window} bytes`,
    hint: 'compress the layer by zstd --long=27 at most',
  });
}

function parseContentSize(bytes: Buffer, at: number, size: number): number | undefined {
  if (size === 0) return undefined;
  if (size === 1) return bytes.readUInt8(at);
  if (size === 2) return bytes.readUInt16LE(at) + 256;
  if (size === 4) return bytes.readUInt32LE(at);
  return Number(bytes.readBigUInt64LE(at));
}

function parseWindow(byte: number): number {
  const base = 2 ** (10 + (byte >> 3));
  return base + (base / 8) * (byte & 7);
}

/** parseBlockHeader reads three bytes. A run of one byte is stored as that byte, whatever its length. */
export function parseBlockHeader(bytes: Buffer): BlockHeader {
  const value = bytes.readUIntLE(0, 3);
  const [type, size] = [(value >> 1) & 3, value >> 3];
  if (type === 3) throw damaged('a block is of the reserved type');
  if (size > maxBlock) throw damaged('a block is larger than 128 KiB');
  return { last: (value & 1) === 1, stored: type === 1 ? 1 : size };
}

/**
 * openingHeader gives the header that fzstd gets instead of a frame's own: a window of one block, sizes
 * and dictionary of zero, no checksum; 18 bytes, the fewest that it takes up at once.
 */
export function openingHeader(): Buffer {
  const header = Buffer.alloc(18);
  header.writeUInt32LE(frameMagic, 0);
  header.writeUInt8(0xc3, 4);
  header.writeUInt8((Math.log2(maxBlock) - 10) << 3, 5);
  return header;
}
