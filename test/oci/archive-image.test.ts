import { describe, expect, test } from 'vitest';
import { mediaTypes } from '../../src/core/index.ts';
import { findImage, resolve, type Machine } from '../../src/oci/import/archive-image.ts';
import type { Member } from '../../src/oci/import/intake.ts';
import { configOf, sha256 } from './support.ts';

const amd64: Machine = { os: 'linux', architecture: 'amd64' };
type Members = Readonly<Record<string, string | Buffer>>;

/** An archive of documents; what a name says of a digest need not be true. */
const archive = (members: Members): Map<string, Member<unknown>> =>
  new Map(
    Object.entries(members).map(([name, content]) => {
      const bytes = Buffer.from(content);
      return [name, { $case: 'document', bytes, digest: sha256(bytes) }];
    }),
  );
const codeOf = (members: Members): string => {
  try {
    findImage(archive(members), amd64);
    return 'fine';
  } catch (error) {
    const { code, message } = error as { readonly code: string; readonly message: string };
    return `${code}: ${message}`;
  }
};

const config = configOf({ layers: [] });
const changed = configOf({ layers: [], config: { author: 'another' } });
const foreign = configOf({ layers: [], architecture: 'arm64' });
const id = sha256(config).slice(7);

describe('an archive of docker save', () => {
  const image = (name: string) => ({ Config: name, RepoTags: null, Layers: [] });
  const saved = (name: string, bytes: Buffer, images: readonly object[] = [image(name)]): Members => ({
    [name]: bytes,
    'manifest.json': JSON.stringify(images),
  });

  test.each([
    ['by its id', saved(`${id}.json`, config)],
    ['by its place among blobs', saved(`blobs/sha256/${id}`, config)],
    ['by a name that says nothing', saved('config.json', config)],
  ])('whose config goes %s is read', (_name, members) => {
    expect(codeOf(members)).toBe('fine');
  });

  test.each([
    ['whose config is not that of its id', saved(`${id}.json`, changed), 'oci/digest-mismatch: '],
    ['whose config is not that of its place', saved(`blobs/sha256/${id}`, changed), 'oci/digest-mismatch: '],
    [
      'of two images',
      saved(`${id}.json`, config, [image(`${id}.json`), image(`${id}.json`)]),
      'oci/archive: the archive must hold one image',
    ],
    ['of no image', saved(`${id}.json`, config, []), 'oci/archive: the archive must hold one image'],
    ['for another machine', saved('c.json', foreign), 'oci/archive: the archive holds an image for another platform'],
    ['without its config', { 'manifest.json': JSON.stringify([image('c.json')]) }, 'oci/archive: the archive lacks'],
  ])('%s is refused', (_name, members, code) => {
    expect(codeOf(members)).toMatch(new RegExp(`^${code}`));
  });
});

describe('an archive of OCI', () => {
  const blob = (bytes: Buffer, name = sha256(bytes)): Members => ({ [`blobs/sha256/${name.slice(7)}`]: bytes });
  const describe = (bytes: Buffer, mediaType: string, more: object = {}) => ({
    mediaType,
    digest: sha256(bytes),
    size: bytes.length,
    ...more,
  });
  const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
  const manifestOf = (of: Buffer): Buffer =>
    json({ schemaVersion: 2, mediaType: mediaTypes.manifest, config: describe(of, mediaTypes.config), layers: [] });
  const indexOf = (manifests: readonly object[]): Buffer =>
    json({ schemaVersion: 2, mediaType: mediaTypes.index, manifests });
  const manifest = manifestOf(config);
  const inIndex = (manifests: readonly object[], ...blobs: readonly Members[]): Members =>
    Object.assign({ 'index.json': indexOf(manifests) }, ...blobs) as Members;
  const one = describe(manifest, mediaTypes.manifest);

  /** The manifest inside so many indexes inside index.json. */
  const nested = (deep: number): Members => {
    const blobs = [blob(config), blob(manifest)];
    let inner: object = one;
    for (let more = 0; more < deep; more += 1) {
      const index = indexOf([inner]);
      blobs.push(blob(index));
      inner = describe(index, mediaTypes.index);
    }
    return inIndex([inner], ...blobs);
  };

  test.each([0, 4])('with %s indexes in its own is read', (deep) => {
    expect(codeOf(nested(deep))).toBe('fine');
  });

  test('with five indexes in its own is refused', () => {
    expect(codeOf(nested(5))).toBe('oci/archive: the archive nests indexes too deep');
  });

  const otherManifest = manifestOf(changed);
  const foreignManifest = manifestOf(foreign);
  const inner = indexOf([one]);
  test.each([
    [
      'with another manifest in its place',
      inIndex([one], blob(config), blob(otherManifest, sha256(manifest))),
      'oci/digest-mismatch',
    ],
    [
      'with another config in its place',
      inIndex([one], blob(manifest), blob(changed, sha256(config))),
      'oci/digest-mismatch',
    ],
    [
      'with another index in its place',
      inIndex([describe(inner, mediaTypes.index)], blob(indexOf([]), sha256(inner))),
      'oci/digest-mismatch',
    ],
    [
      'of two images for one machine',
      inIndex(
        [one, describe(otherManifest, mediaTypes.manifest)],
        blob(config),
        blob(manifest),
        blob(changed),
        blob(otherManifest),
      ),
      'oci/archive: the archive holds several images',
    ],
    [
      'whose config is for another machine than its index says',
      inIndex(
        [describe(foreignManifest, mediaTypes.manifest, { platform: amd64 })],
        blob(foreign),
        blob(foreignManifest),
      ),
      'oci/archive: the archive holds no image for linux/amd64',
    ],
    ['of nothing', inIndex([]), 'oci/archive: the archive holds no image for linux/amd64'],
  ])('%s is refused', (_name, members, code) => {
    expect(codeOf(members)).toMatch(new RegExp(`^${code}`));
  });
});

describe('links inside an archive', () => {
  /** So many links, each to the next, and a document. */
  const chain = (links: number): Map<string, Member<unknown>> => {
    const members = archive({ [`m${links}`]: 'x' });
    for (let at = 0; at < links; at += 1) members.set(`m${at}`, { $case: 'link', target: `m${at + 1}` });
    return members;
  };

  test('are followed, fifteen of them', () => {
    expect(resolve(chain(15), 'm0').name).toBe('m15');
  });

  test('are followed no further', () => {
    expect(() => resolve(chain(16), 'm0')).toThrow('a loop of links');
  });
});
