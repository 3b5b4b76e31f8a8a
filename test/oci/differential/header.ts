/** HeaderFields are the bytes of a tar header's fields, right or wrong. */
export interface HeaderFields {
  readonly name: string;
  readonly flag?: string | undefined;
  readonly mode?: string | undefined;
  readonly uid?: string | undefined;
  readonly gid?: string | undefined;
  readonly size?: string | undefined;
  readonly mtime?: string | undefined;
  readonly link?: string | undefined;
  /** Magic and version, 8 bytes. */
  readonly magic?: string | undefined;
  readonly devMajor?: string | undefined;
  readonly devMinor?: string | undefined;
  readonly prefix?: string | undefined;
  /** The last 12 bytes, where star keeps its trailer. */
  readonly trailer?: string | undefined;
  readonly checksum?: string | undefined;
  readonly body?: Buffer | string | undefined;
  /** false: the content is not padded to whole blocks. */
  readonly padded?: boolean | undefined;
}

export const magics = { ustar: 'ustar\u000000', gnu: 'ustar  \0', v7: '' } as const;

export const octal = (value: number, length = 12): string => value.toString(8).padStart(length - 1, '0');

/** base256 is GNU's encoding of what octal digits cannot say. */
export function base256(value: bigint, length = 12): string {
  const bytes = Buffer.alloc(length);
  let rest = value;
  for (let at = length - 1; at >= 0; at--) {
    bytes[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  bytes[0] = (bytes[0] ?? 0) | 0x80;
  return bytes.toString('latin1');
}

/** member is a header and its content; every field may say what no writer writes. */
export function member(fields: HeaderFields): Buffer {
  const body = Buffer.from(fields.body ?? '');
  const block = Buffer.alloc(512);
  const put = (text: string, at: number, length: number) => block.write(text, at, length, 'latin1');
  put(fields.name, 0, 100);
  put(fields.mode ?? octal(0o644, 8), 100, 8);
  put(fields.uid ?? octal(0, 8), 108, 8);
  put(fields.gid ?? octal(0, 8), 116, 8);
  put(fields.size ?? octal(body.length), 124, 12);
  put(fields.mtime ?? octal(1_700_000_000), 136, 12);
  put(fields.flag ?? '0', 156, 1);
  put(fields.link ?? '', 157, 100);
  put(fields.magic ?? magics.ustar, 257, 8);
  put(fields.devMajor ?? '', 329, 8);
  put(fields.devMinor ?? '', 337, 8);
  put(fields.prefix ?? '', 345, 155);
  put(fields.trailer ?? '', 500, 12);
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(fields.checksum ?? `${sum.toString(8).padStart(6, '0')}\0 `, 148, 8);
  const padding = fields.padded === false ? 0 : (512 - (body.length % 512)) % 512;
  return Buffer.concat([block, body, Buffer.alloc(padding)]);
}

/** record is one PAX record with the length that it has. */
export function record(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length++;
  return `${length}${rest}`;
}

export type Records = readonly (readonly [key: string, value: string])[];

/** extension is an `x` or `g` member. */
export const extension = (records: Records, flag = 'x', name = 'PaxHeaders.0/x'): Buffer =>
  member({ name, flag, body: Buffer.from(records.map(([key, value]) => record(key, value)).join(''), 'latin1') });

/** longName is a GNU `L` or `K` member. */
export const longName = (name: string, flag: 'L' | 'K' = 'L'): Buffer =>
  member({ name: '././@LongLink', flag, magic: magics.gnu, body: Buffer.from(`${name}\0`, 'latin1') });

export const end = Buffer.alloc(1024);
