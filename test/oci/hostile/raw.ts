export interface RawHeader {
  name: string;
  flag?: string;
  size?: number | string;
  mode?: number;
  link?: string;
  magic?: string;
  uid?: Buffer;
  prefix?: string;
  body?: Buffer | string;
}

/** A tar member byte by byte, as no library would write it: every field may be wrong. */
export function raw(header: RawHeader): Buffer {
  const body = Buffer.from(header.body ?? '');
  const block = Buffer.alloc(512);
  block.write(header.name, 0, 100, 'latin1');
  block.write((header.mode ?? 0o644).toString(8).padStart(7, '0'), 100);
  if (header.uid === undefined) block.write('0000000', 108);
  else header.uid.copy(block, 108);
  block.write('0000000', 116);
  const size = header.size ?? body.length;
  block.write(typeof size === 'string' ? size : size.toString(8).padStart(11, '0'), 124);
  block.write('00000000000', 136);
  block.write(header.flag ?? '0', 156, 'latin1');
  block.write(header.link ?? '', 157, 100, 'latin1');
  block.write(header.magic ?? 'ustar\u000000', 257, 'latin1');
  block.write(header.prefix ?? '', 345, 155, 'latin1');
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([block, body, Buffer.alloc((512 - (body.length % 512)) % 512)]);
}

export const end = Buffer.alloc(1024);

/** PAX records as a member of their own. */
export function pax(records: Readonly<Record<string, string>>, flag = 'x'): Buffer {
  const text = Object.entries(records)
    .map(([key, value]) => {
      const rest = Buffer.byteLength(` ${key}=${value}\n`);
      const length = rest + String(rest + String(rest).length).length;
      return `${length} ${key}=${value}\n`;
    })
    .join('');
  return raw({ name: 'PaxHeaders/x', flag, body: text });
}

export const archive = (...members: readonly Buffer[]): Buffer => Buffer.concat([...members, end]);
