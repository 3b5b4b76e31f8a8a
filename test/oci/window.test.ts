import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WindowRule } from '../../src/core/index.ts';
import { WindowFinder } from '../../src/oci/walk/window.ts';

const rule: WindowRule = {
  startsWith: Buffer.from('ELF'),
  marker: Buffer.from('MARK'),
  align: 4,
  headBytes: 1,
  accept: (head) => head[4] === 33,
  bytes: 10,
  wants: () => true,
};

function find(file: Buffer, cuts: readonly number[] = []): string | undefined {
  const finder = new WindowFinder(rule, file.length);
  const borders = [...cuts.map((cut) => cut % (file.length + 1)), file.length].sort((a, b) => a - b);
  let from = 0;
  for (const to of borders) {
    if (to > from) finder.data(file.subarray(from, to));
    from = Math.max(from, to);
  }
  return finder.found?.toString('latin1');
}

describe('a window into a file', () => {
  it('holds what lies from the marker on, up to its size', () => {
    expect(find(Buffer.from('ELF.....MARK!abcdefghij'))).toBe('MARK!abcde');
  });

  it('ends with the file', () => {
    expect(find(Buffer.from('ELF.....MARK!a'))).toBe('MARK!a');
  });

  it('passes over a marker that is only mentioned, and one that is not aligned', () => {
    expect(find(Buffer.from('ELF.MARK?..MARK!MARK!yes'))).toBe('MARK!yes');
  });

  it('does not look into files of another kind', () => {
    expect(find(Buffer.from('PNG.MARK!abc'))).toBeUndefined();
    expect(find(Buffer.from('EL'))).toBeUndefined();
  });

  it('does not depend on where the chunks end', () => {
    const piece = fc.constantFrom('MARK!', 'MARK?', 'MAR', 'K', '!', 'MARK', '..', '....', 'a');
    const file = fc.array(piece, { maxLength: 20 }).map((pieces) => Buffer.from(`ELF.${pieces.join('')}`));
    fc.assert(
      fc.property(file, fc.array(fc.nat(120), { maxLength: 12 }), (bytes, cuts) => {
        expect(find(bytes, cuts)).toBe(find(bytes));
      }),
      { numRuns: 300 },
    );
  });
});
