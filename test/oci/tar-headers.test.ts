import { describe, expect, test } from 'vitest';
import { maxPaxBytes } from '../../src/oci/tar/pax.ts';
import { TarReader } from '../../src/oci/tar/reader.ts';
import { archive, end, pax, raw, type RawHeader } from './hostile/raw.ts';

/** What comes of an archive: its members, or the code of what refused it. */
function read(bytes: Buffer): string {
  const names: string[] = [];
  try {
    const reader = new TarReader({ entry: ({ name }) => void names.push(name) });
    reader.write(bytes);
    reader.finish();
    return names.join(' ');
  } catch (error) {
    return (error as { readonly code: string }).code;
  }
}
const member = (header: Partial<RawHeader> = {}): string => read(archive(raw({ name: 'a', ...header })));

describe('a header’s checksum', () => {
  /** A member whose checksum field holds this. */
  const stating = (field: string | Buffer, name = 'a'): string => {
    const block = raw({ name });
    block.fill(0, 148, 156);
    block.set(Buffer.from(field), 148);
    return read(archive(block));
  };
  const sums = (name: string): { readonly unsigned: number; readonly signed: number } => {
    const block = raw({ name });
    block.fill(' ', 148, 156);
    const add = (of: (byte: number) => number): number => block.reduce((sum, byte) => sum + of(byte), 0);
    return { unsigned: add((byte) => byte), signed: add((byte) => (byte > 127 ? byte - 256 : byte)) };
  };
  const { unsigned } = sums('a');

  test('is the sum of its bytes', () => {
    expect(stating(unsigned.toString(8))).toBe('a');
  });

  test('may be the sum of signed bytes, as old tars made it', () => {
    expect(stating(sums('\u00ff').signed.toString(8), '\u00ff')).toBe('\u00ff');
  });

  test.each([
    ['0', '0'],
    ['absent', ''],
    ['blanks', '        '],
    ['a number too high by one', (unsigned + 1).toString(8)],
    ['a number too low by one', (unsigned - 1).toString(8)],
    ['in words', 'none'],
  ])('that is %s is refused', (_name, field) => {
    expect(stating(field)).toBe('oci/tar-checksum');
  });
});

describe('a member', () => {
  test.each<[string, Partial<RawHeader>]>([
    ['a file', {}],
    ['a link with a size, which has no content', { flag: '2', size: 512 }],
  ])('may be %s', (_name, header) => {
    expect(member(header)).toBe('a');
  });

  test.each<[string, Partial<RawHeader>, string]>([
    ['a sparse file in GNU’s old format', { flag: 'S' }, 'oci/tar-sparse'],
    ['a part of several volumes', { flag: 'M' }, 'oci/tar-type'],
    ['of a type that none knows', { flag: 'Z' }, 'oci/tar-type'],
    ['of a size in words', { size: 'many' }, 'oci/tar-number'],
    ['of a size in digits that are not octal', { size: '00000000009' }, 'oci/tar-number'],
    ['of an owner beyond what is exact', { uid: Buffer.from('8020000000000000', 'hex') }, 'oci/tar-number'],
    ['of an owner beyond 64 bits', { uid: Buffer.from('80ffffffffffffff', 'hex') }, 'oci/tar-number'],
    ['that ends before its content does', { size: 4096 }, 'oci/tar-truncated'],
  ])('may not be %s', (_name, header, code) => {
    expect(member(header)).toBe(code);
  });

  const negative = (flag: string): Buffer => {
    const block = raw({ name: 'a', flag, size: '0' });
    block.fill(0xff, 124, 136);
    block.fill(' ', 148, 156);
    block.write(
      `${block
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
    );
    return block;
  };
  test.each(['0', 'x', 'L'])('may not be of negative size, of type %s', (flag) => {
    expect(read(archive(negative(flag)))).toBe('oci/tar-size');
  });

  test('may not be of negative size by its PAX header', () => {
    expect(read(archive(pax({ size: '-1' }), raw({ name: 'a' })))).toBe('oci/tar-size');
  });
});

describe('extension headers', () => {
  const sized = (bytes: number): string =>
    read(archive(raw({ name: 'x', flag: 'L', body: 'n'.repeat(bytes) }), raw({ name: 'a' })));
  test('of 1 MiB are read', () => {
    expect(sized(maxPaxBytes)).toBe('n'.repeat(maxPaxBytes));
  });

  test('of a byte more are refused', () => {
    expect(sized(maxPaxBytes + 1)).toBe('oci/tar-pax');
  });

  test.each([
    ['a path with a NUL', { path: 'a\0b' }],
    ['a link target with a NUL', { linkpath: 'a\0b' }],
    ['a key with a NUL', { 'a\0b': '1' }],
    ['no key', { '': '1' }],
    ['an owner in words', { uid: 'me' }],
    ['a size of two numbers', { size: '1 2' }],
    ['a time in words', { mtime: 'now' }],
    ['a time of two points', { mtime: '1.2.3' }],
    ['a time that is not used, in words', { atime: 'now' }],
  ])('with %s are refused', (_name, records) => {
    expect(read(archive(pax(records), raw({ name: 'a' })))).toBe('oci/tar-pax');
  });

  test.each(['12 a=', '4 a=\n', 'a=1\n', '9 path=x', '99 path=x\n', '-7 a=b\n', ' a=b\n'])(
    'of %j are refused',
    (body) => {
      expect(read(archive(raw({ name: 'x', flag: 'x', body }), raw({ name: 'a' })))).toBe('oci/tar-pax');
    },
  );

  test('with a value that has a NUL where a value may are read', () => {
    expect(read(archive(pax({ 'SCHILY.xattr.user.x': 'a\0b' }), raw({ name: 'a' })))).toBe('a');
  });

  test('of a member that never comes are refused', () => {
    expect(read(archive(pax({ path: 'b' })))).toBe('oci/tar-truncated');
  });

  test('before a global one say nothing any more, as for Go', () => {
    expect(read(archive(pax({ path: 'b' }), pax({ comment: 'c' }, 'g'), raw({ name: 'a' })))).toBe('a');
  });

  test('of a sparse file are refused where none is expanded', () => {
    const records = { 'GNU.sparse.size': '1', 'GNU.sparse.numblocks': '1', 'GNU.sparse.map': '0,1' };
    expect(read(archive(pax(records), raw({ name: 'a', body: 'x' })))).toBe('oci/tar-sparse');
  });
});

describe('the end', () => {
  test('is two blocks of zeros, and what follows is not read', () => {
    expect(read(Buffer.concat([raw({ name: 'a' }), end, raw({ name: 'b' })]))).toBe('a');
  });

  test('is not one block of zeros before more members', () => {
    expect(read(Buffer.concat([raw({ name: 'a' }), end.subarray(512), raw({ name: 'b' })]))).toBe('oci/tar-zero-block');
  });
});
