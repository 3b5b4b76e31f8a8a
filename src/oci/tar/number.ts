import { tarError } from './entry.ts';

/** Go reads numbers into 64 bits; JavaScript keeps only 53 exactly, and no honest image needs more. */
export function safeInteger(value: number, what: string, name = ''): number {
  if (Number.isSafeInteger(value)) return value;
  throw tarError('number', `a tar header holds a number out of range (${what})`, name);
}

/** octal reads a field as Go's parseOctal does: padding trimmed at both ends, cut at a NUL; undefined if malformed. */
export function octal(block: Buffer, start: number, length: number): number | undefined {
  let from = start;
  let to = start + length;
  while (from < to && isPadding(block[from])) from++;
  while (to > from && isPadding(block[to - 1])) to--;
  let value = 0;
  for (let index = from; index < to; index++) {
    const byte = block[index] ?? 0;
    if (byte === 0) break;
    if (byte < 0x30 || byte > 0x37) return undefined;
    value = value * 8 + (byte - 0x30);
  }
  return value;
}

const isPadding = (byte: number | undefined): boolean => byte === 0x20 || byte === 0;

/** numeric is octal, or base 256 when the first bit is set (GNU); undefined if malformed. */
export function numeric(block: Buffer, start: number, length: number): number | undefined {
  const first = block[start] ?? 0;
  if ((first & 0x80) === 0) return octal(block, start, length);
  const negative = (first & 0x40) !== 0;
  const bytes = Buffer.from(block.subarray(start, start + length));
  if (negative) for (let index = 0; index < length; index++) bytes[index] = ~(bytes[index] ?? 0);
  bytes[0] = (bytes[0] ?? 0) & 0x7f;
  const value = BigInt(`0x${bytes.toString('hex')}`);
  if (value >= 2n ** 63n) return undefined;
  return Number(negative ? -value - 1n : value);
}

/** decimal reads what Go's strconv.ParseInt(text, 10, 64) accepts; undefined if malformed or beyond 64 bits. */
export function decimal(text: string): number | undefined {
  if (!/^[+-]?[0-9]+$/.test(text)) return undefined;
  // At 20 digits and more only leading zeros may keep it within 64 bits.
  if (text.length > 15) {
    const value = BigInt(text.startsWith('+') ? text.slice(1) : text);
    if (value >= 2n ** 63n || value < -(2n ** 63n)) return undefined;
  }
  return Number(text);
}
