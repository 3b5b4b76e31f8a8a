import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { checksumOf, digestOfStream, parseChecksums, verifyAssets, type Asset } from '../../src/checksums/index.ts';
import { AppErrors, type AppError } from '../../src/errors/index.ts';
import type { Digest } from '../../src/core/index.ts';

const hex = (text: string): string => createHash('sha256').update(text).digest('hex');
const a = hex('a');

function asset(name: string, served: string, pinned: string): Asset {
  return {
    name,
    expected: `sha256:${hex(pinned)}` as Digest,
    source: `https://example.test/${name}`,
    checksumFile: 'sums',
    open: () => Readable.from([Buffer.from(served)]),
  };
}

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

describe('verification', () => {
  it('gives digest and size of every asset, whatever its architecture', async () => {
    const found = await verifyAssets([asset('amd64', 'x', 'x'), asset('arm64', 'yy', 'yy')], 100);
    expect(found.map(({ name, size }) => [name, size])).toEqual([
      ['amd64', 1],
      ['arm64', 2],
    ]);
  });

  it('reports expected, actual, source and file of every mismatch', async () => {
    const error = await verifyAssets([asset('amd64', 'swapped', 'x'), asset('arm64', 'too', 'y')], 100).catch(
      (caught: unknown) => caught,
    );
    const [first, second] = (error as AppErrors).errors as [AppError, AppError];
    expect(first.facts.expected).toContain(hex('x'));
    expect(first.facts.found).toContain(hex('swapped'));
    expect(first.facts.found).toContain('https://example.test/amd64');
    expect(first.facts.where?.file).toBe('sums');
    expect(second.message).toContain('arm64');
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
