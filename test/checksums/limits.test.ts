import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { digestOfStream, parseChecksums } from '../../src/checksums/index.ts';
import { maxChecksumBytes } from '../../src/checksums/parse.ts';
import { digestOf } from '../../src/core/index.ts';
import { codes } from '../support/codes.ts';

const line = `${createHash('sha256').update('a').digest('hex')}  a\n`;
/** One line in a file of this many bytes. */
const file = (bytes: number): string => `${line}#${'x'.repeat(bytes - line.length - 1)}`;

describe('a checksum file', () => {
  test('of 256 KiB is read', () => {
    expect([...parseChecksums(file(maxChecksumBytes), 'sums').keys()]).toEqual(['a']);
  });

  test('of a byte more is refused', () => {
    expect(codes(() => parseChecksums(file(maxChecksumBytes + 1), 'sums'))).toEqual(['checksums/too-large']);
  });

  test('of fewer characters but more bytes is refused', () => {
    const text = `${line}#${'é'.repeat(maxChecksumBytes / 2)}`;
    expect(codes(() => parseChecksums(text, 'sums'))).toEqual(['checksums/too-large']);
  });

  test.each([
    ['63 hex digits', line.slice(1)],
    ['65 hex digits', `a${line}`],
    ['a name that leaves the directory', line.replace('  a', '  ../a')],
    ['a name with a slash', line.replace('  a', '  a/b')],
    ['a blank before it', ` ${line}`],
    ['a hidden name', line.replace('  a', '  .a')],
    ['an escaped name', `\\${line}`],
  ])('with %s is refused', (_name, text) => {
    expect(codes(() => parseChecksums(text, 'sums'))).toEqual(['checksums/line']);
  });
});

describe('a download', () => {
  const chunks = (...sizes: readonly number[]): Readable => Readable.from(sizes.map((size) => Buffer.alloc(size)));

  test('of exactly the limit is hashed', async () => {
    expect(await digestOfStream(chunks(6, 4), 10, 'x')).toEqual({ digest: digestOf(Buffer.alloc(10)), size: 10 });
  });

  test('of a byte more is cut', async () => {
    const stream = chunks(6, 5);
    await expect(digestOfStream(stream, 10, 'x')).rejects.toMatchObject({ code: 'checksums/too-large', exit: 3 });
    expect(stream.destroyed).toBe(true);
  });
});
