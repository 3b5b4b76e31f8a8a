import { describe, expect, test } from 'vitest';
import { mediaTypes } from '../../src/core/index.ts';
import { createLayout, importArchive } from '../../src/oci/index.ts';
import { fakeHost } from '../support/fake-host.ts';
import { archive, raw } from './hostile/raw.ts';
import { chunks, configOf, sha256, temporaryDirectory } from './support.ts';

const amd64 = { os: 'linux', architecture: 'amd64' };
type Members = Readonly<Record<string, string | Buffer>>;

/** Imports an archive of documents; what a name says of a digest need not be true. */
async function codeOf(members: Members, links: readonly Buffer[] = []): Promise<string> {
  const host = fakeHost();
  const bytes = archive(...Object.entries(members).map(([name, body]) => raw({ name, body })), ...links);
  const layout = await createLayout(host, temporaryDirectory());
  const request = { platform: 'linux/amd64', sourceDateEpoch: 1_700_000_000 } as const;
  return await importArchive(host, layout, chunks(bytes), request).then(
    () => 'fine',
    (error: unknown) => (error as { readonly code: string }).code,
  );
}

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
  ])('whose config goes %s is read', async (_name, members) => {
    expect(await codeOf(members)).toBe('fine');
  });

  test.each([
    ['whose config is not that of its id', saved(`${id}.json`, changed), 'oci/digest-mismatch'],
    ['whose config is not that of its place', saved(`blobs/sha256/${id}`, changed), 'oci/digest-mismatch'],
    ['of two images', saved(`${id}.json`, config, [image(`${id}.json`), image(`${id}.json`)]), 'oci/reference'],
    ['of no image', saved(`${id}.json`, config, []), 'oci/reference'],
    [
      'with more layers than its config knows',
      { ...saved('c.json', config, [{ ...image('c.json'), Layers: ['l'] }]), l: 'x' },
      'oci/layers',
    ],
    ['for another machine', saved('c.json', foreign), 'oci/archive'],
    ['without its config', { 'manifest.json': JSON.stringify([image('c.json')]) }, 'oci/archive'],
  ])('%s is refused', async (_name, members, code) => {
    expect(await codeOf(members)).toBe(code);
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

  test.each([0, 5])('with %s indexes in its own is read', async (deep) => {
    expect(await codeOf(nested(deep))).toBe('fine');
  });

  test('with six indexes in its own is refused', async () => {
    expect(await codeOf(nested(6))).toBe('oci/media-type');
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
      'oci/size-mismatch',
    ],
    [
      'with another index in its place',
      inIndex([describe(inner, mediaTypes.index)], blob(indexOf([]), sha256(inner))),
      'oci/size-mismatch',
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
      'oci/reference',
    ],
    [
      'whose config is for another machine than its index says',
      inIndex(
        [describe(foreignManifest, mediaTypes.manifest, { platform: amd64 })],
        blob(foreign),
        blob(foreignManifest),
      ),
      'oci/platform',
    ],
    ['of nothing', inIndex([]), 'oci/reference'],
  ])('%s is refused', async (_name, members, code) => {
    expect(await codeOf(members)).toBe(code);
  });
});

describe('links inside an archive', () => {
  /** A config behind so many links, each to the next. */
  const chain = (links: number): Promise<string> =>
    codeOf(
      { [`m${links}`]: config, 'manifest.json': JSON.stringify([{ Config: 'm0', RepoTags: null, Layers: [] }]) },
      Array.from({ length: links }, (_none, at) => raw({ name: `m${at}`, flag: '2', link: `m${at + 1}` })),
    );

  test('are followed, fifteen of them', async () => {
    expect(await chain(15)).toBe('fine');
  });

  test('are followed no further', async () => {
    expect(await chain(16)).toBe('oci/archive');
  });
});
