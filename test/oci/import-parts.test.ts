import { describe, expect, test } from 'vitest';
import type { Digest } from '../../src/core/index.ts';
import { baseLayers, proveBase, type BaseImage } from '../../src/oci/import/base.ts';
import { ordered } from '../../src/oci/import/order.ts';
import type { TarEntry } from '../../src/oci/tar/entry.ts';
import { codes } from '../support/codes.ts';
import { registryImage, sha256 } from './support.ts';

describe('entries of a layer that is written', () => {
  const entry = (name: string, more: Partial<TarEntry> = {}): TarEntry => ({
    name,
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: 0,
    mtime: 5,
    link: '',
    devMajor: 0,
    devMinor: 0,
    offset: 0,
    ...more,
  });
  const made = (entries: readonly TarEntry[]) => ordered(entries, { epoch: 10, mountPoints: [] });

  test.each([
    [9, 9],
    [10, 10],
    [11, 10],
  ])('of the time %s, where no time is later than 10, have %s', (mtime, expected) => {
    expect(made([entry('a', { mtime })])[0]?.mtime).toBe(expected);
  });

  test.each<[string, TarEntry[], string]>([
    ['climbs out', [entry('a/../../b')], 'oci/tar-path'],
    ['ends in ..', [entry('a/..')], 'oci/tar-path'],
    ['has a NUL', [entry('a\0')], 'oci/tar-path'],
    ['links to nothing', [entry('a', { type: 'link', link: 'b' })], 'oci/layer-link'],
    [
      'links to a directory',
      [entry('a', { type: 'link', link: 'b' }), entry('b', { type: 'directory' })],
      'oci/layer-link',
    ],
    [
      'links in circles',
      [entry('a', { type: 'link', link: 'b' }), entry('b', { type: 'link', link: 'a' })],
      'oci/layer-link',
    ],
    ['links out', [entry('a', { type: 'link', link: '../b' })], 'oci/tar-path'],
  ])('may not hold one that %s', (_name, entries, code) => {
    expect(codes(() => made(entries))).toEqual([code]);
  });
});

describe('the base of an image', () => {
  const { base } = registryImage({ layers: [Buffer.from('one'), Buffer.from('two')] });
  const [one, two] = base.config.rootfs.diff_ids as [Digest, Digest];
  const lacking: BaseImage = { ...base, manifest: { ...base.manifest, layers: base.manifest.layers.slice(1) } };
  const odd: BaseImage = {
    ...base,
    manifest: {
      ...base.manifest,
      layers: base.manifest.layers.map((layer) => ({ ...layer, mediaType: 'text/plain' })),
    },
  };

  test('is proven by the same first layers', () => {
    expect(proveBase(base, [one, two, sha256('own')]).layers.map(({ diffId }) => diffId)).toEqual([one, two]);
  });

  test.each([
    ['another layer', [one, sha256('other')]],
    ['its layers in another order', [two, one]],
    ['fewer layers', [one]],
  ])('is not proven by %s', (_name, image) => {
    expect(codes(() => proveBase(base, image))).toEqual(['oci/base-mismatch']);
  });

  test.each([
    ['fewer layers than its config', lacking],
    ['layers of another type', odd],
  ])('with %s is refused', (_name, given) => {
    expect(codes(() => baseLayers(given))).toEqual(['oci/base']);
  });
});
