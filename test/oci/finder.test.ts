import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { tablesFor } from '../../src/oci/walk/buckets.ts';
import { blockBytes, Finder } from '../../src/oci/walk/simd.ts';

const positions = (finder: Finder, bytes: Uint8Array, from = 0, to = bytes.length): number[] => {
  const found: number[] = [];
  finder.each(bytes, from, to, (position) => found.push(position));
  return found;
};

/** Every place where one of the prefixes stands, found one byte at a time. */
const really = (prefixes: readonly Uint8Array[], bytes: Buffer, from = 0, to = bytes.length): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index).filter((at) =>
    prefixes.some((prefix) => bytes.subarray(at, at + prefix.length).equals(prefix)),
  );

const length = fc.integer({ min: 2, max: 4 });
/** Few different bytes, so that literals do occur; both ends of the range among them. */
const byte = fc.constantFrom(0, 1, 0x0f, 0x10, 0x61, 0x62, 0x7f, 0x80, 0xf0, 0xff);

describe('the search for literals', () => {
  test('misses no place where one begins, and goes through them in order', () => {
    const problem = length.chain((size) =>
      fc.record({
        prefixes: fc.uniqueArray(fc.array(byte, { minLength: size, maxLength: size }), {
          minLength: 1,
          maxLength: 40,
          selector: String,
        }),
        text: fc.array(byte, { maxLength: 300 }),
        from: fc.nat(40),
      }),
    );
    fc.assert(
      fc.property(problem, ({ prefixes, text, from }) => {
        const wanted = prefixes.map((prefix) => Uint8Array.from(prefix));
        const bytes = Buffer.from(text);
        const start = Math.min(from, bytes.length);
        const found = positions(new Finder(tablesFor(wanted)), bytes, start);
        expect(found).toEqual(expect.arrayContaining(really(wanted, bytes, start)));
        expect(found).toEqual([...new Set(found)].sort((a, b) => a - b));
        expect(found.every((at) => at >= start && at < bytes.length)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test('finds literals across the border of two blocks and at the very end, and none of an earlier search', () => {
    const wanted = ['ghp_', 'AKIA', 'npm_'].map((text) => Buffer.from(text));
    const finder = new Finder(tablesFor(wanted));
    const bytes = Buffer.alloc(3 * blockBytes, '.');
    const places = [0, 13, blockBytes - 1, blockBytes + 3, 2 * blockBytes - 4, 3 * blockBytes - 4];
    for (const [index, at] of places.entries()) wanted[index % 3]?.copy(bytes, at);
    expect(positions(finder, bytes)).toEqual(places);
    expect(positions(finder, bytes, 1, blockBytes - 1)).toEqual([13]);
    expect(positions(finder, Buffer.alloc(blockBytes + 7, '.'))).toEqual([]);
  });

  test('stops at few other places: the work is in the bytes, not in what it hands back', () => {
    const wanted = ['ghp_', 'AKIA', 'npm_', 'hf_a', 'hf_Z', 'xoxb', 'sk-a', 'glpa', 'http'].map((text) =>
      Buffer.from(text),
    );
    const bytes = randomBytes(1024 * 1024);
    expect(positions(new Finder(tablesFor(wanted)), bytes).length).toBeLessThan(bytes.length / 1000);
  });
});
