import { tarError } from './entry.ts';
import { decimal, safeInteger } from './number.ts';

/** Upper limit of one PAX or GNU long-name member, in bytes: the same as Go's archive/tar. */
export const maxPaxBytes = 1024 * 1024;

/** Records whose values go into C strings: only these must not hold a NUL. */
const strings = new Set(['path', 'linkpath', 'uname', 'gname']);
const sparsePair = ['GNU.sparse.offset', 'GNU.sparse.numbytes'];

/**
 * decodePax reads PAX records, `<length> <key>=<value>\n`, as latin1; the last of a key counts. The
 * repeated records of GNU's sparse format 0.0 become the one of 0.1, as Go does it. Throws `oci/tar-pax`.
 */
export function decodePax(body: string): Map<string, string> {
  const records = new Map<string, string>();
  const sparse: string[] = [];
  let position = 0;
  while (position < body.length) {
    const space = body.indexOf(' ', position);
    const end = position + (space < 0 ? NaN : (decimal(body.slice(position, space)) ?? NaN));
    const equals = body.indexOf('=', space);
    // The shortest record is `5 a=\n`.
    if (!(end >= position + 5) || end > body.length || end <= space + 1 || body[end - 1] !== '\n') {
      throw tarError('pax', 'a malformed PAX record', body.slice(position, position + 80));
    }
    if (equals < 0 || equals >= end - 1) throw tarError('pax', 'a PAX record without =', body.slice(position, end));
    const key = body.slice(space + 1, equals);
    const value = body.slice(equals + 1, end - 1);
    if (key === '' || (strings.has(key) ? value : key).includes('\0')) {
      throw tarError('pax', 'a PAX record with a NUL or without a key', key);
    }
    if (sparsePair.includes(key)) {
      if (key !== sparsePair[sparse.length % 2] || value.includes(',')) {
        throw tarError('pax', 'a malformed sparse map in PAX records', value);
      }
      sparse.push(value);
    } else {
      records.set(key, value);
    }
    position = end;
  }
  if (sparse.length > 0) records.set('GNU.sparse.map', sparse.join(','));
  return records;
}

/** checkNumbers refuses records with a malformed number, as Go does where it merges them. Throws `oci/tar-pax`. */
export function checkNumbers(records: ReadonlyMap<string, string>): void {
  for (const key of ['uid', 'gid', 'size']) integer(records, key);
  for (const key of ['mtime', 'atime', 'ctime']) time(records, key);
}

function integer(records: ReadonlyMap<string, string>, key: string): number | undefined {
  const value = records.get(key) ?? '';
  const number = decimal(value);
  if (value === '' || number !== undefined) return number;
  throw tarError('pax', `a PAX record ${key} that is no number`, value);
}

function time(records: ReadonlyMap<string, string>, key: string): number | undefined {
  const value = records.get(key) ?? '';
  if (value === '') return undefined;
  const [, whole = '', fraction = ''] = /^([^.]*)(?:\.([0-9]*))?$/.exec(value) ?? [];
  const seconds = decimal(whole);
  if (seconds === undefined) throw tarError('pax', `a PAX record ${key} that is no time`, value);
  return whole.startsWith('-') && /[1-9]/.test(fraction.slice(0, 9)) ? seconds - 1 : seconds;
}

/** paxInteger returns a decimal PAX number; an empty value means the header's own. Throws `oci/tar-pax`, `oci/tar-number`. */
export function paxInteger(records: ReadonlyMap<string, string>, key: string, otherwise: number): number {
  return safeInteger(integer(records, key) ?? otherwise, key, records.get(key));
}

/** paxTime returns whole seconds, rounded down. Throws as paxInteger does. */
export function paxTime(records: ReadonlyMap<string, string>, key: string, otherwise: number): number {
  return safeInteger(time(records, key) ?? otherwise, key, records.get(key));
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
