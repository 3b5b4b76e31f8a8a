import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { sha256, tar } from '../support.ts';
import { archive, end, pax, raw, walkBlobs, walkTars } from './support.ts';

const codeOf = (walk: Promise<unknown>) =>
  walk.then(
    () => 'no error',
    (error: unknown) => (error as { code?: string }).code ?? String(error),
  );
const code = (...tars: Buffer[]) => codeOf(walkTars(tars));
const good = await tar([{ name: 'a', body: 'content' }]);
const noise = await tar([{ name: 'a', body: randomBytes(200_000) }]);

describe('streams that are damaged', () => {
  it.each([1, 100, 511, 512, 516])('a tar of which %i bytes are left is an error', async (length) => {
    expect(await code(good.subarray(0, length))).toBe('oci/tar-truncated');
  });

  it.each([519, 700, 1024])(
    'a tar without its end marker and padding is read, as engines read it: %i',
    async (length) => {
      expect(await code(good.subarray(0, length))).toBe('no error');
    },
  );

  it('what follows the end marker is not part of the image', async () => {
    const { tree } = await walkTars([Buffer.concat([archive(raw({ name: 'a' })), raw({ name: 'hidden' })])]);
    expect([...tree.keys()]).toEqual(['/', '/a']);
  });

  it('a lone zero block before more members is an error', async () => {
    expect(await code(Buffer.concat([raw({ name: 'a' }), Buffer.alloc(512), raw({ name: 'b' }), end]))).toBe(
      'oci/tar-zero-block',
    );
  });

  it('a changed header and plain garbage are errors', async () => {
    const damaged = Buffer.from(good);
    damaged[3] = 0x21;
    expect(await code(damaged)).toBe('oci/tar-checksum');
    expect(await code(randomBytes(4096))).toMatch(/^oci\/tar-(checksum|number)$/);
  });

  it.each([10, 5000, 150_000])(
    'a gzip stream cut after %i bytes is an error, whose size alone betrays it',
    async (length) => {
      const blob = gzipSync(noise);
      const cut = blob.subarray(0, length);
      expect(await codeOf(walkBlobs([noise], [{ bytes: cut }]))).toBe('oci/compression');
      const served = walkBlobs([noise], [{ bytes: blob }], {}, () => {
        throw new Error('unused');
      });
      expect(await codeOf(served)).toBe('Error: unused');
    },
  );

  it('a blob with other bytes than its digest says is a digest error, also where it no longer decompresses', async () => {
    const { Readable } = await import('node:stream');
    const blob = gzipSync(noise);
    for (const at of [20, 1000, blob.length - 6, blob.length - 1]) {
      const damaged = Buffer.from(blob);
      damaged[at] = (damaged[at] ?? 0) ^ 0xff;
      const walk = walkBlobs([noise], [{ bytes: blob }], {}, () => Readable.from([damaged]));
      expect(await codeOf(walk)).toBe('oci/digest-mismatch');
    }
    const longer = Buffer.concat([blob, Buffer.from('more')]);
    expect(await codeOf(walkBlobs([noise], [{ bytes: blob }], {}, () => Readable.from([longer])))).toBe(
      'oci/size-mismatch',
    );
    const shorter = blob.subarray(0, -1);
    expect(await codeOf(walkBlobs([noise], [{ bytes: blob }], {}, () => Readable.from([shorter])))).toBe(
      'oci/size-mismatch',
    );
  });

  it('bytes after the gzip stream are an error, as they are for engines', async () => {
    expect(await codeOf(walkBlobs([good], [{ bytes: Buffer.concat([gzipSync(good), Buffer.from('trailer')]) }]))).toBe(
      'oci/compression',
    );
  });

  it('several gzip members are one stream', async () => {
    const parts = Buffer.concat([gzipSync(good.subarray(0, 600)), gzipSync(good.subarray(600))]);
    expect(await codeOf(walkBlobs([good], [{ bytes: parts }]))).toBe('no error');
  });

  it('content other than the diffID says is an error that names the layer', async () => {
    const walk = walkBlobs([good, noise], [{ bytes: gzipSync(good) }, { bytes: gzipSync(good) }]);
    await expect(walk).rejects.toMatchObject({
      code: 'oci/digest-mismatch',
      message: expect.stringMatching(/^layer 1 \(step 1\): /) as string,
      facts: { expected: sha256(noise), found: sha256(good) },
    });
  });

  it('a layer of unknown media type, and one of another compression than stated, are errors', async () => {
    expect(await codeOf(walkBlobs([good], [{ bytes: good, mediaType: 'application/x-foreign' }]))).toBe(
      'oci/media-type',
    );
    expect(await codeOf(walkBlobs([good], [{ bytes: good }]))).toBe('oci/compression');
    const plain = 'application/vnd.oci.image.layer.v1.tar';
    expect(await codeOf(walkBlobs([good], [{ bytes: good, mediaType: plain }]))).toBe('no error');
    expect(await codeOf(walkBlobs([good], [{ bytes: gzipSync(good), mediaType: plain }]))).toBe('oci/compression');
  });

  it('fewer diffIDs than layers are an error', async () => {
    expect(await codeOf(walkBlobs([good], [{ bytes: gzipSync(good) }, { bytes: gzipSync(noise) }]))).toBe('oci/layers');
  });
});

describe('headers that no engine writes', () => {
  it.each([
    ['a sparse file of GNU tar', archive(raw({ name: 'a', flag: 'S' })), 'oci/tar-sparse'],
    [
      'a sparse file in PAX without its map',
      archive(pax({ 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0' }), raw({ name: 'a' })),
      'oci/tar-sparse',
    ],
    [
      'a sparse directory',
      archive(pax({ 'GNU.sparse.map': '0,0', 'GNU.sparse.numblocks': '1' }), raw({ name: 'a', flag: '5' })),
      'oci/tar-sparse',
    ],
    ['a part of several volumes', archive(raw({ name: 'a', flag: 'M' })), 'oci/tar-type'],
    ['an unknown type', archive(raw({ name: 'a', flag: 'Z' })), 'oci/tar-type'],
    ['a size in letters', archive(raw({ name: 'a', size: 'zzzzzzzzzzz' })), 'oci/tar-number'],
    [
      'a negative size',
      archive(raw({ name: 'a', size: '\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff' })),
      'oci/tar-number',
    ],
    ['a PAX size that is negative', archive(pax({ size: '-1' }), raw({ name: 'a' })), 'oci/tar-size'],
    ['a PAX size that is no number', archive(pax({ size: '1e3' }), raw({ name: 'a' })), 'oci/tar-pax'],
    ['a PAX path with a NUL', archive(pax({ path: 'a\0b' }), raw({ name: 'a' })), 'oci/tar-pax'],
    [
      'a PAX record longer than its header',
      archive(raw({ name: 'x', flag: 'x', body: '99 path=a\n' }), raw({ name: 'a' })),
      'oci/tar-pax',
    ],
    [
      'a PAX record of length zero',
      archive(raw({ name: 'x', flag: 'x', body: '0 path=a\n' }), raw({ name: 'a' })),
      'oci/tar-pax',
    ],
    [
      'a PAX record without a key',
      archive(raw({ name: 'x', flag: 'x', body: '6 =ab\n' }), raw({ name: 'a' })),
      'oci/tar-pax',
    ],
    ['a PAX header of 2 MiB', archive(raw({ name: 'x', flag: 'x', size: 2 * 1024 * 1024 })), 'oci/tar-pax'],
    ['a PAX header at the end', Buffer.concat([pax({ path: 'a' }), end]), 'oci/tar-truncated'],
    ['a user number out of range', archive(pax({ uid: '4294967296' }), raw({ name: 'a' })), 'oci/tar-number'],
    ['a negative user number', archive(pax({ uid: '-1' }), raw({ name: 'a' })), 'oci/tar-number'],
    ['a symlink to nothing', archive(raw({ name: 'a', flag: '2' })), 'oci/tar-link'],
  ])('%s is an error', async (_what, layer, expected) => {
    expect(await code(layer)).toMatch(
      expected === 'oci/tar-number' ? /^oci\/tar-(number|size)$/ : new RegExp(`^${expected}$`),
    );
  });

  it('PAX says path, size, owner and capability; empty values and global headers say nothing', async () => {
    const layer = archive(
      pax({ path: 'pax_global_header', uid: '5' }, 'g'),
      pax({ path: 'long/ä', uid: '3000000', linkpath: '', 'SCHILY.xattr.security.capability': 'x' }),
      raw({ name: 'short', body: 'x' }),
      raw({ name: 'next' }),
    );
    const { tree } = await walkTars([layer]);
    expect([...tree.keys()]).toEqual(['/', '/long', '/long/ä', '/next']);
    expect(tree.get('/long/ä')).toMatchObject({ uid: 3_000_000, capabilities: true, size: 1 });
    expect(tree.get('/next')).toMatchObject({ uid: 0 });
  });

  it('the ustar prefix counts, and in a GNU header what cannot be its times, as Go reads it', async () => {
    const gnu = (name: string, prefix: string) => raw({ name, magic: 'ustar  \0', prefix });
    const layer = archive(raw({ name: 'a', prefix: 'p' }), gnu('sudoers', 'etc'), gnu('b', '01234567012'));
    expect([...(await walkTars([layer])).tree.keys()]).toEqual(['/', '/p', '/p/a', '/etc', '/etc/sudoers', '/b']);
  });

  it('numbers in base 256 are read', async () => {
    const uid = Buffer.from([0x80, 0, 0, 0, 0x12, 0x34, 0x56, 0x78]);
    expect((await walkTars([archive(raw({ name: 'a', uid }))])).tree.get('/a')?.uid).toBe(0x12345678);
  });
});

describe('images that are too much', () => {
  const many = archive(...Array.from({ length: 500 }, (_value, index) => raw({ name: `dir/file-${index}` })));

  it.each([
    ['entries', { entries: 400 }],
    ['nameBytes', { nameBytes: 2000 }],
    ['layerBytes', { layerBytes: 100_000 }],
    ['layers', { layers: 0 }],
  ])('more %s than allowed are an error', async (_what, limits) => {
    await expect(walkTars([many], { limits })).rejects.toMatchObject({ code: 'oci/limit', exit: 3 });
  });

  it('more wanted content than allowed is an error, and content that was overwritten does not count', async () => {
    const layer = (letter: string) => tar([{ name: 'a', body: letter.repeat(1000) }]);
    const layers = [await layer('x'), await layer('y'), await layer('z')];
    const collectors = { wantContent: () => true };
    const picture = await walkTars(layers, { collectors, limits: { contentBytes: 1500 } });
    expect(Buffer.from(picture.contents.get('/a') ?? []).toString()).toBe('z'.repeat(1000));
    await expect(walkTars(layers, { collectors, limits: { contentBytes: 900 } })).rejects.toMatchObject({
      code: 'oci/limit',
    });
  });

  it('a header that only claims a huge file ends as a truncated one', async () => {
    expect(await code(Buffer.concat([raw({ name: 'a', size: 8 * 1024 ** 3 - 1 }), Buffer.alloc(4096)]))).toBe(
      'oci/tar-truncated',
    );
  });
});
