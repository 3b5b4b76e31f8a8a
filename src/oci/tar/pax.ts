import { tarError } from './entry.ts';

/** Upper limit of one PAX or GNU long-name member, in bytes: the same as Go's archive/tar. */
export const maxPaxBytes = 1024 * 1024;

/** decodePax reads PAX records, `<length> <key>=<value>\n`, as latin1. Throws `oci/tar-pax`. */
export function decodePax(body: string): Map<string, string> {
  const records = new Map<string, string>();
  let position = 0;
  while (position < body.length) {
    const space = body.indexOf(' ', position);
    const digits = body.slice(position, space);
    if (space < 0 || space > position + 9 || !/^[0-9]+$/.test(digits)) throw tarError('pax', 'a malformed PAX record');
    const end = position + Number(digits);
    const equals = body.indexOf('=', space);
    if (end > body.length || equals < 0 || equals >= end || end <= space + 1 || body[end - 1] !== '\n') {
      throw tarError('pax', 'a malformed PAX record', body.slice(position, position + 80));
    }
    const key = body.slice(space + 1, equals);
    const value = body.slice(equals + 1, end - 1);
    if (key === '' || key.includes('\0') || (!key.startsWith('SCHILY.xattr.') && value.includes('\0'))) {
      throw tarError('pax', 'a PAX record with a NUL or without a key', key);
    }
    records.set(key, value);
    position = end;
  }
  return records;
}

/** paxInteger reads a decimal PAX number and rounds it down; an empty value means the header's own. */
export function paxInteger(records: ReadonlyMap<string, string>, key: string, otherwise: number): number {
  const value = records.get(key);
  if (value === undefined || value === '') return otherwise;
  if (!/^-?[0-9]{1,16}(?:\.[0-9]*)?$/.test(value))
    throw tarError('pax', `a PAX record ${key} that is no number`, value);
  return Math.floor(Number(value));
}

/** encodePax writes records in key order; the length counts its own digits. */
export function encodePax(records: ReadonlyMap<string, string>): string {
  return [...records.keys()]
    .sort()
    .map((key) => {
      const rest = ` ${key}=${records.get(key) ?? ''}\n`;
      let length = rest.length + String(rest.length).length;
      if (String(length).length !== String(rest.length).length) length = rest.length + String(length).length;
      return `${length}${rest}`;
    })
    .join('');
}
