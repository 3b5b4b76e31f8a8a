import { tarError, type TarEntry, type TarType } from './entry.ts';
import { blockSize } from './header.ts';
import { encodePax } from './pax.ts';

const flags: Readonly<Record<TarType, string>> = {
  file: '0',
  link: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
};

const maxOctal = (digits: number): number => 8 ** digits - 1;

function writeOctal(block: Buffer, value: number, start: number, digits: number): void {
  const fits = value >= 0 && value <= maxOctal(digits);
  block.write((fits ? value : 0).toString(8).padStart(digits, '0'), start, 'latin1');
}

interface Fields extends Omit<TarEntry, 'offset' | 'xattrs'> {
  readonly flag: string;
}

function ustar(fields: Fields): Buffer {
  const block = Buffer.alloc(blockSize);
  block.write(fields.name.slice(0, 100), 0, 'latin1');
  writeOctal(block, fields.mode, 100, 7);
  writeOctal(block, fields.uid, 108, 7);
  writeOctal(block, fields.gid, 116, 7);
  writeOctal(block, fields.size, 124, 11);
  writeOctal(block, fields.mtime, 136, 11);
  block.write(fields.flag, 156, 'latin1');
  block.write(fields.link.slice(0, 100), 157, 'latin1');
  block.write('ustar\0' + '00', 257, 'latin1');
  writeOctal(block, fields.devMajor, 329, 7);
  writeOctal(block, fields.devMinor, 337, 7);
  let sum = 8 * 0x20;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

const plain = /^[\x20-\x7e]*$/;

/** Whatever a ustar field cannot hold goes into a PAX record; nothing else does. */
function paxOf(entry: TarEntry): Map<string, string> {
  const records = new Map<string, string>();
  if (entry.name.length > 100 || !plain.test(entry.name)) records.set('path', entry.name);
  if (entry.link.length > 100 || !plain.test(entry.link)) records.set('linkpath', entry.link);
  if (entry.size > maxOctal(11)) records.set('size', String(entry.size));
  if (entry.uid > maxOctal(7)) records.set('uid', String(entry.uid));
  if (entry.gid > maxOctal(7)) records.set('gid', String(entry.gid));
  if (entry.mtime < 0 || entry.mtime > maxOctal(11)) records.set('mtime', String(entry.mtime));
  for (const [name, value] of entry.xattrs ?? []) records.set(`SCHILY.xattr.${name}`, value);
  return records;
}

export function padding(size: number): number {
  return (blockSize - (size % blockSize)) % blockSize;
}

/**
 * encodeHeader returns a member's header: ustar, with a PAX header before it only where ustar has
 * no room. The same entry always makes the same bytes. Content and padding follow it.
 */
export function encodeHeader(entry: TarEntry): Buffer {
  if (entry.devMajor > maxOctal(7) || entry.devMinor > maxOctal(7)) {
    throw tarError('device', 'a device number that ustar cannot hold', entry.name);
  }
  const main = ustar({ ...entry, flag: flags[entry.type] });
  const records = paxOf(entry);
  if (records.size === 0) return main;
  const body = Buffer.from(encodePax(records), 'latin1');
  const head = ustar({
    ...{ name: 'PaxHeaders.0/x', type: 'file', flag: 'x', mode: 0o644, uid: 0, gid: 0, size: body.length },
    ...{ mtime: 0, link: '', devMajor: 0, devMinor: 0 },
  });
  return Buffer.concat([head, body, Buffer.alloc(padding(body.length)), main]);
}

/** The end of an archive: two zero blocks. */
export const endOfArchive = Buffer.alloc(2 * blockSize);
