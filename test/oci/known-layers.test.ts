import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  collectGarbage,
  createLayout,
  importArchive,
  openKnownLayers,
  validateLayout,
  writeImageIndex,
} from '../../src/oci/index.ts';
import { hexOf } from '../../src/core/index.ts';
import { fakeHost } from '../support/fake-host.ts';
import { chunks, dockerArchive, tar, temporaryDirectory } from './support.ts';

const host = fakeHost();
const first = await tar([{ name: 'a', body: 'a'.repeat(5000) }]);
const second = await tar([{ name: 'b', body: 'b' }]);
const changed = await tar([{ name: 'b', body: 'changed' }]);
// Only /tmp as every base has it: a layer that is left out.
const trace = await tar([{ name: 'tmp/', type: 'directory', mode: 0o1777 }]);

async function build(directory: string, layers: readonly Buffer[], format = 1, epoch = 1_750_000_000) {
  const layout = await createLayout(host, directory);
  const known = await openKnownLayers(host, layout, format);
  const archive = chunks(await dockerArchive({ layers }));
  const image = await importArchive(host, layout, archive, { platform: 'linux/amd64', sourceDateEpoch: epoch, known });
  await known.save();
  await writeImageIndex(layout, [image.descriptor], {});
  await collectGarbage(host, layout);
  const paths = image.manifest.layers.map(({ digest }) => join(directory, 'blobs/sha256', hexOf(digest)));
  const inodes = await Promise.all(paths.map(async (path) => (await stat(path)).ino));
  return { layout, paths, inodes, manifest: image.descriptor.digest };
}

const fresh = (): string => join(temporaryDirectory(), 'image');

describe('layers that were written before', () => {
  it('are taken as they lie there, and the image is the one that a fresh layout gets', async () => {
    const directory = fresh();
    const before = await build(directory, [first, second, trace]);
    expect(before.paths).toHaveLength(2);
    const after = await build(directory, [first, changed, trace]);
    expect(after.inodes[0]).toBe(before.inodes[0]);
    expect(after.paths[1]).not.toBe(before.paths[1]);
    expect(after.manifest).toBe((await build(fresh(), [first, changed, trace])).manifest);
    expect(await validateLayout(host, after.layout.directory)).toEqual([]);
  });

  it.each([
    ['another way of writing', 2, 1_750_000_000],
    ['another date', 1, 1_700_000_000],
  ])('are written anew for %s', async (_what, format, epoch) => {
    const directory = fresh();
    const before = await build(directory, [first]);
    const after = await build(directory, [first], format, epoch);
    expect(after.inodes[0]).not.toBe(before.inodes[0]);
  });

  it('are written anew where a byte of the blob is another one', async () => {
    const directory = fresh();
    const before = await build(directory, [first]);
    const [path = ''] = before.paths;
    const bytes = await readFile(path);
    bytes[40] = (bytes[40] ?? 0) ^ 1;
    await writeFile(path, bytes);
    const after = await build(directory, [first]);
    expect(after.manifest).toBe(before.manifest);
    expect(await validateLayout(host, after.layout.directory)).toEqual([]);
  });

  it.each([
    ['no JSON', '{'],
    ['another shape', '{"x":{"digest":"sha256:1","size":-1}}'],
    ['too much', ' '.repeat(2 * 1024 * 1024)],
  ])('are written anew where the list of them is %s', async (_what, text) => {
    const directory = fresh();
    const before = await build(directory, [first]);
    await writeFile(join(directory, 'known-layers.json'), text);
    const after = await build(directory, [first]);
    expect(after.manifest).toBe(before.manifest);
    expect(after.inodes[0]).not.toBe(before.inodes[0]);
    expect(
      Object.keys(JSON.parse(await readFile(join(directory, 'known-layers.json'), 'utf8')) as object),
    ).toHaveLength(1);
  });

  it('are forgotten when a build does not have them any more', async () => {
    const directory = fresh();
    await build(directory, [first, second]);
    await build(directory, [first]);
    const list = JSON.parse(await readFile(join(directory, 'known-layers.json'), 'utf8')) as object;
    expect(Object.keys(list)).toHaveLength(1);
  });
});
