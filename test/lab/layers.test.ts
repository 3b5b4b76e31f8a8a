import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cachedRootLayer } from '../../src/lab/base.ts';
import { BlobStore } from '../../src/lab/blobs.ts';
import { listOf, statusOf } from '../../src/lab/dpkg.ts';
import { directory, file, symlink, type TarEntry } from '../../src/lab/entries.ts';
import type { Deb } from '../../src/lab/apt.ts';

let cache = '';
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'lab-layers-'));
});
afterEach(async () => {
  await rm(cache, { recursive: true });
});

const link: TarEntry = { path: 'a-link', type: 'link', mode: 0o644, uid: 0, gid: 0, target: 'usr/z' };
const entries = [directory('usr'), file('usr/z', 'content'), symlink('bin', 'usr/bin'), link];

test('the same entries give the same layer, whatever their order', async () => {
  const store = new BlobStore(cache);
  const [one, two] = [await store.addLayer(entries), await store.addLayer([...entries].reverse())];
  expect(two).toEqual(one);
  expect(await store.addLayer(entries.slice(1))).not.toEqual(one);
});

test('a hard link comes after its target', async () => {
  const store = new BlobStore(cache);
  const { digest } = await store.addLayer(entries);
  const names: string[] = [];
  for await (const part of Readable.from(gunzipSync(await readFile(store.path(digest)))).pipe(extract())) {
    names.push(part.header.name);
    part.resume();
  }
  expect(names).toEqual(['bin', 'usr/', 'usr/z', 'a-link']);
});

test("dpkg's files say what is installed, with the architecture where several may be", () => {
  const control = 'Package: libc6\nVersion: 2.41\nArchitecture: arm64\nMulti-Arch: same';
  const deb: Deb = {
    ...{ name: 'libc6', version: '2.41', architecture: 'arm64', file: '', sha256: '', control },
    ...{ depends: [], provides: [] },
  };
  expect(statusOf([deb])).toBe(
    'Package: libc6\nStatus: install ok installed\nVersion: 2.41\nArchitecture: arm64\nMulti-Arch: same\n\n',
  );
  const list = listOf(deb, ['usr', 'usr/lib']);
  expect(list.path).toBe('var/lib/dpkg/info/libc6:arm64.list');
  expect(list.content?.toString()).toBe('/.\n/usr\n/usr/lib\n');
});

test('the base layer is made once, and again when its blob is gone', async () => {
  const store = new BlobStore(cache);
  const made = await cachedRootLayer(store, cache, []);
  const path = store.path(made.digest);
  await writeFile(path, 'not made again');
  expect(await cachedRootLayer(store, cache, [])).toEqual(made);
  expect(await readFile(path, 'utf8')).toBe('not made again');
  await rm(path);
  expect(await cachedRootLayer(store, cache, [])).toEqual(made);
  expect((await readFile(path)).length).toBe(made.size);
});
