import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { maxManifestBytes } from '../../src/core/index.ts';
import { plainBytes } from '../../src/oci/decompress.ts';
import type { ArchiveIndex } from '../../src/oci/sources/archive-index.ts';
import { openEngineArchive } from '../../src/oci/sources/open-archive.ts';
import { dockerArchiveSource } from '../../src/oci/sources/archive-source.ts';
import { readVerified } from '../../src/oci/verify.ts';
import { checkLayerBytes, defaultLimits } from '../../src/oci/walk/limits.ts';
import { codes } from '../support/codes.ts';
import { fakeHost } from '../support/fake-host.ts';
import { archive, raw } from './hostile/raw.ts';
import { walkTars } from './hostile/support.ts';
import { configOf, sha256 } from './support.ts';

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'fine',
    (error: unknown) => (error as { readonly code: string }).code,
  );
const gib = 1024 ** 3;

describe('a layer', () => {
  test.each([
    ['of a GiB, however small it was', gib, 1, []],
    ['of more, 1,500 times what it was', gib + 500, (gib + 500 + 676) / 1_500, []],
    ['of more, and of more than 1,500 times', gib + 500 + 677, (gib + 500 + 676) / 1_500, ['oci/limit']],
    ['of a byte more than a GiB, made of one byte', gib + 1, 1, ['oci/limit']],
    ['of 64 GiB', 64 * gib, gib, []],
    ['of a byte more than 64 GiB', 64 * gib + 1, gib, ['oci/limit']],
  ])('%s', (_name, bytes, compressed, refused) => {
    expect(
      codes(() => {
        checkLayerBytes(bytes, compressed, defaultLimits);
      }),
    ).toEqual(refused);
  });
});

describe('an image', () => {
  const files = (count: number): Buffer =>
    archive(...Array.from({ length: count }, (_none, at) => raw({ name: `f${at}` })));
  test.each([
    ['entries', { entries: 3 }, 3, 'fine'],
    ['entries', { entries: 3 }, 4, 'oci/limit'],
    ['bytes of names', { nameBytes: 8 }, 4, 'fine'],
    ['bytes of names', { nameBytes: 8 }, 5, 'oci/limit'],
  ])('within its %s %j: %s files are %s', async (_what, limits, count, outcome) => {
    expect(await codeOf(walkTars([files(count)], { limits: { ...defaultLimits, ...limits } }))).toBe(outcome);
  });

  const layers = (count: number): Buffer[] => Array.from({ length: count }, () => archive());
  test.each([
    [2, 'fine'],
    [3, 'oci/limit'],
  ])('of at most two layers: %s are %s', async (count, outcome) => {
    expect(await codeOf(walkTars(layers(count), { limits: { ...defaultLimits, layers: 2 } }))).toBe(outcome);
  });

  test('has at most these numbers of everything unless it says otherwise', () => {
    expect(defaultLimits).toMatchObject({
      layers: 1_000,
      entries: 4_000_000,
      nameBytes: 128 * 1024 ** 2,
      contentBytes: 320 * 1024 ** 2,
    });
  });

  const content = { collectors: { wantContent: () => true } };
  test.each([
    [10, 'fine'],
    [9, 'oci/limit'],
  ])('whose wanted content has 10 bytes, of at most %s: %s', async (contentBytes, outcome) => {
    const tar = archive(raw({ name: 'a', body: 'x'.repeat(10) }));
    expect(await codeOf(walkTars([tar], { ...content, limits: { ...defaultLimits, contentBytes } }))).toBe(outcome);
  });
});

describe('an archive', () => {
  const read = (bytes: Buffer): Promise<string> =>
    codeOf(
      openEngineArchive(fakeHost(), { name: 'a.tar', bytes: Readable.from([bytes]) }).then((source) => source.close()),
    );
  const manifest = raw({ name: 'manifest.json', body: '[{"Config":"c","RepoTags":null,"Layers":[]}]' });
  const config = raw({ name: 'c', body: configOf({ layers: [] }) });
  const links = (count: number): Buffer =>
    Buffer.concat(Array.from({ length: count }, (_none, at) => raw({ name: `l${at}`, flag: '2', link: 'c' })));

  test.each([
    [100_000, 'fine'],
    [100_001, 'oci/too-many-entries'],
  ])('of %s members: %s', async (count, outcome) => {
    expect(await read(archive(manifest, config, links(count - 2)))).toBe(outcome);
  });

  test.each([
    [maxManifestBytes, 'fine'],
    [maxManifestBytes + 1, 'oci/too-large'],
  ])('with a list of %s bytes: %s', async (size, outcome) => {
    const body = '[{"Config":"c","RepoTags":null,"Layers":[]}]'.padEnd(size);
    expect(await read(archive(raw({ name: 'manifest.json', body }), config))).toBe(outcome);
  });

  test.each(['..', '../a', 'a/../../b', './../a'])('with a member %s is refused', async (name) => {
    expect(await read(archive(manifest, config, raw({ name, flag: '5' })))).toBe('oci/archive-path');
  });

  test('that ends inside a member is refused', async () => {
    expect(await read(Buffer.concat([manifest, raw({ name: 'a', size: 600, body: 'x' })]))).toBe('oci/tar-truncated');
  });
});

describe('a docker archive that is read in place', () => {
  const config = configOf({ layers: [] });
  const image = (name: string) => ({ Config: name, RepoTags: null, Layers: [] });
  /** An archive that holds these documents; reading none of them touches a file. */
  function source(images: readonly object[], documents: Readonly<Record<string, Buffer>>, padded?: number) {
    const manifest = JSON.stringify(images);
    const members = new Map(
      Object.entries({ ...documents, 'manifest.json': Buffer.from(manifest.padEnd(padded ?? 0)) }),
    );
    const names = [...members.keys()];
    const index: ArchiveIndex = {
      name: 'a.tar',
      has: (name) => members.has(name),
      names: () => names,
      span: (name) => ({ offset: names.indexOf(name), size: members.get(name)?.length ?? 0 }),
      read: ({ offset }) => Readable.from([members.get(names[offset] ?? '') ?? Buffer.alloc(0)]),
    };
    return codeOf(dockerArchiveSource(index, undefined));
  }
  const id = `${sha256(config).slice(7)}.json`;
  const changed = configOf({ layers: [], config: { author: 'another' } });

  test.each<[string, Parameters<typeof source>, string]>([
    ['with its config', [[image(id)], { [id]: config }], 'fine'],
    ['with another config under its id', [[image(id)], { [id]: changed }], 'oci/digest-mismatch'],
    ['of two images', [[image(id), image(id)], { [id]: config }], 'oci/reference'],
    ['with a list of 4 MiB', [[image(id)], { [id]: config }, maxManifestBytes], 'fine'],
    ['with a list of a byte more', [[image(id)], { [id]: config }, maxManifestBytes + 1], 'oci/too-large'],
  ])('%s: %s', async (_name, given, outcome) => {
    expect(await source(...given)).toBe(outcome);
  });
});

describe('a blob', () => {
  const bytes = Buffer.from('0123456789');
  const expected = { digest: sha256(bytes), size: 10 };
  const read = (content: Buffer, limit = 10, of = expected) =>
    codeOf(readVerified(Readable.from([content]), of, limit));

  test.each([
    ['of exactly the limit', bytes, 10, 'fine'],
    ['of a byte more than the limit', bytes, 9, 'oci/too-large'],
    ['that has a byte more', Buffer.from('01234567890'), 10, 'oci/size-mismatch'],
    ['that has a byte less', Buffer.from('012345678'), 10, 'oci/size-mismatch'],
    ['that has other bytes', Buffer.from('0123456780'), 10, 'oci/digest-mismatch'],
  ])('%s: %s', async (_name, content, limit, outcome) => {
    expect(await read(content, limit)).toBe(outcome);
  });

  const plain = async (content: Buffer, kind: 'gzip' | 'none'): Promise<string> => {
    const of = { digest: sha256(content), size: content.length };
    return await codeOf(Readable.from(plainBytes(Readable.from([content]), kind, of)).toArray());
  };
  const packed = gzipSync(bytes);
  test.each([
    ['compressed as it says', packed, 'gzip', 'fine'],
    ['compressed although it says that it is not', packed, 'none', 'oci/compression'],
    ['plain although it says that it is compressed', bytes, 'gzip', 'oci/compression'],
    ['with a byte behind its compressed stream', Buffer.concat([packed, Buffer.from('x')]), 'gzip', 'oci/compression'],
    ['cut short', packed.subarray(0, -1), 'gzip', 'oci/compression'],
  ] as const)('%s: %s', async (_name, content, kind, outcome) => {
    expect(await plain(content, kind)).toBe(outcome);
  });
});
