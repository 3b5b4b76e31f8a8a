/**
 * The few lines of the protobuf wire format (https://protobuf.dev/programming-guides/encoding/)
 * that BuildKit's messages need. A library would cost more start-up time than the whole build
 * of an unchanged image.
 */
export interface Field {
  readonly number: number;
  /** Whole number for varints and fixed widths, bytes for everything else. */
  readonly value: bigint | Uint8Array;
}

function readVarint(bytes: Uint8Array, start: number): { value: bigint; next: number } {
  let value = 0n;
  for (let index = start, shift = 0n; index < bytes.length && shift < 70n; index += 1, shift += 7n) {
    const byte = bytes[index] ?? 0;
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return { value: BigInt.asUintN(64, value), next: index + 1 };
  }
  throw new RangeError('truncated varint');
}

/** decodeFields gives a message's fields in order. Throws RangeError on truncated or unknown input. */
export function decodeFields(bytes: Uint8Array): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.length) throw new RangeError('truncated field');
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const key = readVarint(bytes, at);
    at = key.next;
    const number = Number(key.value >> 3n);
    const wire = Number(key.value & 7n);
    if (wire === 0) {
      const varint = readVarint(bytes, at);
      at = varint.next;
      fields.push({ number, value: varint.value });
    } else if (wire === 2) {
      const length = readVarint(bytes, at);
      at = length.next;
      fields.push({ number, value: take(Number(length.value)) });
    } else if (wire === 1 || wire === 5) {
      take(wire === 1 ? 8 : 4);
    } else {
      throw new RangeError(`unknown wire type ${wire}`);
    }
  }
  return fields;
}

/** messages gives every length-delimited value of one field. */
export function messages(fields: readonly Field[], number: number): Uint8Array[] {
  return fields.flatMap((field) => (field.number === number && field.value instanceof Uint8Array ? [field.value] : []));
}

export function text(fields: readonly Field[], number: number): string {
  const last = messages(fields, number).at(-1);
  return last === undefined ? '' : Buffer.from(last).toString('utf8');
}

/** integer gives a number field, 0 when absent: proto3 does not send zeros. */
export function integer(fields: readonly Field[], number: number): number {
  for (const field of fields.toReversed())
    if (field.number === number && typeof field.value === 'bigint') return Number(BigInt.asIntN(64, field.value));
  return 0;
}

/** encodeText gives one string field. */
export function encodeText(number: number, value: string): Buffer {
  return encodeBytes(number, Buffer.from(value, 'utf8'));
}

/** encodeBytes gives one length-delimited field. */
export function encodeBytes(number: number, content: Uint8Array): Buffer {
  const head: number[] = [(number << 3) | 2];
  let length = content.length;
  while (length > 0x7f) {
    head.push((length & 0x7f) | 0x80);
    length >>>= 7;
  }
  head.push(length);
  return Buffer.concat([Buffer.from(head), content]);
}
