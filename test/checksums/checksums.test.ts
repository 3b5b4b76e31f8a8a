import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { checksumOf, digestOfStream, parseChecksums } from '../../src/checksums/index.ts';
import { AppErrors } from '../../src/errors/index.ts';

const hex = (text: string): string => createHash('sha256').update(text).digest('hex');
const a = hex('a');

describe('a checksum file', () => {
  it('is read as coreutils writes it: text and binary marker, either case, comments', () => {
    const lines = parseChecksums(`# two\n${a}  one.tar.gz\n${hex('b').toUpperCase()} *two.tar.gz\n\n`, 'sums');
    expect(lines.get('one.tar.gz')?.digest).toBe(`sha256:${a}`);
    expect(lines.get('two.tar.gz')?.digest).toBe(`sha256:${hex('b')}`);
  });

  it('reports every bad line at once, with line and column', () => {
    const text = [`${a}  good`, `${a}  good`, `${a} bad`, `${a.slice(1)}  short`, `${a}  crlf\r`, `${a}  ../up`].join(
      '\n',
    );
    try {
      parseChecksums(text, 'sums');
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(AppErrors);
      const found = (error as AppErrors).errors.map(
        ({ code, facts }) => `${code} ${facts.where?.line ?? 0}:${facts.where?.column ?? 0}`,
      );
      expect(found).toEqual([
        'checksums/duplicate 2:1',
        'checksums/line 3:1',
        'checksums/line 4:1',
        'checksums/line 5:71',
        'checksums/line 6:67',
      ]);
    }
  });

  it('without the asked-for asset names what it does hold', () => {
    const lines = parseChecksums(`${a}  one\n`, 'sums');
    expect(() => checksumOf(lines, 'two', 'sums')).toThrow(
      expect.objectContaining({ code: 'checksums/missing' }) as Error,
    );
    expect(() => parseChecksums('# nothing\n', 'sums')).toThrow('no checksum');
  });
});

describe('digestOfStream', () => {
  it('returns digest and size', async () => {
    const found = await digestOfStream(Readable.from([Buffer.from('y'), Buffer.from('y')]), 2, 'it');
    expect(found).toEqual({ digest: `sha256:${hex('yy')}`, size: 2 });
  });

  it('stops reading at the limit', async () => {
    let served = 0;
    const endless = Readable.from(
      (function* () {
        for (;;) {
          served += 10;
          yield Buffer.alloc(10);
        }
      })(),
    );
    await expect(digestOfStream(endless, 95, 'endless')).rejects.toThrow('more bytes');
    expect(served).toBeLessThan(1000);
  });
});
