import { readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Collectors, Picture } from '../../src/core/index.ts';
import {
  createLayout,
  importArchive,
  openEngineArchive,
  openFileSource,
  parseSource,
  walkSource,
  writeImageIndex,
} from '../../src/oci/index.ts';
import { fakeHost } from '../support/fake-host.ts';
import { chunks, configOf, dockerArchive, ociArchive, tar, temporaryDirectory } from './support.ts';

const host = fakeHost();
const layers = [
  await tar([
    { name: 'etc/', type: 'directory' },
    { name: 'etc/passwd', body: 'root:x:0:0' },
    { name: 'big', body: 'b'.repeat(3_000_000) },
  ]),
  await tar([{ name: 'etc/key', body: `\n\ntoken = SECRET_abcdefghij\n` }]),
  await tar([{ name: 'etc/.wh.key', body: '' }]),
];
const small = await tar([{ name: 'a', body: 'content' }]);
const twice = [layers[0] ?? Buffer.alloc(0), ...layers];
const collectors: Collectors = {
  wantContent: (path) => path === '/etc/passwd',
  secrets: [{ id: 'token', summary: 't', literals: ['SECRET_'], pattern: /SECRET_[a-j]{10}/g, reach: 64, show: 7 }],
};

/** What must not depend on where the image was read from. */
const essence = ({ tree, contents, matches, shadowed }: Picture) => ({
  tree: [...tree],
  passwd: Buffer.from(contents.get('/etc/passwd') ?? []).toString(),
  matches,
  shadowed,
});

async function walkStream(bytes: AsyncIterable<Buffer>): Promise<Picture> {
  const source = await openEngineArchive(host, { name: 'docker-daemon:it', bytes });
  const [picture, ...more] = await walkSource(source, { collectors }).finally(() => source.close());
  expect(more).toEqual([]);
  return picture as Picture;
}

async function files() {
  const directory = temporaryDirectory();
  const docker = await dockerArchive({ layers: twice });
  const oci = await ociArchive({ layers: twice });
  writeFileSync(join(directory, 'docker.tar'), docker);
  writeFileSync(join(directory, 'oci.tar'), oci);
  return { directory, docker, oci };
}

describe('the same image', () => {
  it('gives the same picture from every kind of source', async () => {
    const { directory, docker, oci } = await files();
    const layout = await createLayout(host, join(directory, 'layout'));
    const image = await importArchive(host, layout, chunks(docker), {
      platform: 'linux/amd64',
      sourceDateEpoch: 1_900_000_000,
    });
    await writeImageIndex(layout, [image.descriptor], {}, 'latest');
    const references = [
      `oci:${directory}/layout`,
      `oci:${directory}/layout:latest`,
      `oci-archive:${directory}/oci.tar`,
      `docker-archive:${directory}/docker.tar`,
    ];
    const pictures: Picture[] = [];
    for (const reference of references) {
      pictures.push(...(await walkSource(await openFileSource(host, parseSource(reference)), { collectors })));
    }
    pictures.push(await walkStream(chunks(docker)), await walkStream(chunks(oci)));
    const [first, ...others] = pictures.map(essence);
    expect(others).toHaveLength(5);
    expect(first?.passwd).toBe('root:x:0:0');
    expect(first?.matches).toEqual([
      { rule: 'token', path: '/etc/key', layer: 2, line: 3, redacted: 'SECRET_… (17 characters)' },
    ]);
    expect(first?.tree.map(([path]) => path).sort()).toEqual(['/', '/big', '/etc', '/etc/passwd']);
    // The layout sorted the entries, the archives kept the engine's order: sort before comparing.
    const sorted = (one: typeof first) => ({
      ...one,
      tree: one?.tree.sort(([a], [b]) => (a < b ? -1 : 1)),
      shadowed: one?.shadowed.length,
    });
    for (const other of others) expect(sorted(other)).toEqual(sorted(first));
  });

  it('is an error where it lacks the wanted platform, or the name', async () => {
    const { directory } = await files();
    const source = await openFileSource(host, parseSource(`docker-archive:${directory}/docker.tar`));
    await expect(walkSource(source, { platforms: ['linux/arm64'] })).rejects.toMatchObject({
      code: 'oci/platform',
      facts: { found: 'linux/amd64' },
    });
    await expect(
      openFileSource(host, parseSource(`docker-archive:${directory}/docker.tar:other:1`)),
    ).rejects.toMatchObject({ code: 'oci/reference' });
  });

  it('is read where the engine lists a platform that it never fetched, which is an error in a file', async () => {
    const partial = await ociArchive({ layers: [small], absent: 'arm64' });
    expect((await walkStream(chunks(partial))).platform).toBe('linux/amd64');
    const file = join(temporaryDirectory(), 'partial.tar');
    writeFileSync(file, partial);
    const source = await openFileSource(host, parseSource(`oci-archive:${file}`));
    await expect(walkSource(source)).rejects.toMatchObject({ code: 'oci/archive' });
  });

  it('is an error in an archive that was cut', async () => {
    const { directory, docker } = await files();
    writeFileSync(join(directory, 'cut.tar'), docker.subarray(0, 2_000_000));
    await expect(openFileSource(host, parseSource(`docker-archive:${directory}/cut.tar`))).rejects.toMatchObject({
      code: 'oci/tar-truncated',
    });
    await expect(walkStream(chunks(docker.subarray(0, 2_000_000)))).rejects.toMatchObject({
      code: 'oci/tar-truncated',
    });
  });
});

describe('parseSource', () => {
  it.each([
    ['oci:dist/x', { $case: 'oci', path: 'dist/x' }],
    ['oci-archive:/a/b.tar:v1', { $case: 'oci-archive', path: '/a/b.tar', ref: 'v1' }],
    ['docker-archive:b.tar:repo:tag', { $case: 'docker-archive', path: 'b.tar', ref: 'repo:tag' }],
    ['docker-daemon:repo:tag', { $case: 'docker-daemon', ref: 'repo:tag' }],
    ['dir:/a/b:c', { $case: 'dir', path: '/a/b:c' }],
    ['oci:dist/x:@1', { $case: 'oci', path: 'dist/x', ref: '@1' }],
    ['docker://quay.io/a/b:1', { $case: 'registry', ref: 'quay.io/a/b:1' }],
    ['localhost:5000/a/b', { $case: 'registry', ref: 'localhost:5000/a/b' }],
  ])('reads %s', (text, expected) => {
    expect(parseSource(text)).toEqual(expected);
  });

  it.each(['oci:', 'oci::x', 'docker-daemon:', 'oci-archive:a:'])('refuses %s', (text) => {
    expect(() => parseSource(text)).toThrow('an incomplete image reference');
  });
});

describe('a content rule', () => {
  it.each([1, 3, 100, 1013, 70_000])('finds every match once, with its line, in chunks of %i bytes', async (size) => {
    const filler = `${'x'.repeat(99)}\n`.repeat(700);
    const body = `SECRET_aaaaaaaaaa\n${filler}SECRET_bbbbbbbbbbSECRET_cccccccccc\n${filler}SECRET_dddddddddd`;
    const layer = await tar([{ name: 'f', body }]);
    const image = await dockerArchive({ layers: [layer] });
    const { matches } = await walkStream(chunks(image, size));
    expect(matches.map(({ line }) => line)).toEqual([1, 702, 702, 1403]);
  });
});

describe('transports as skopeo names them', () => {
  it('reads an archive that is compressed as a whole, and leaves nothing behind', async () => {
    const { directory, docker, oci } = await files();
    writeFileSync(join(directory, 'docker.tar.gz'), gzipSync(docker, { level: 1 }));
    writeFileSync(join(directory, 'oci.tgz'), gzipSync(oci, { level: 1 }));
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith('image-archive-'));
    for (const reference of [`docker-archive:${directory}/docker.tar.gz`, `oci-archive:${directory}/oci.tgz`]) {
      const source = await openFileSource(host, parseSource(reference));
      expect((await walkSource(source))[0]?.tree.has('/etc/passwd')).toBe(true);
      await source.close();
    }
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('image-archive-'))).toEqual(before);
    writeFileSync(join(directory, 'cut.tar.gz'), gzipSync(docker).subarray(0, -100));
    await expect(openFileSource(host, parseSource(`docker-archive:${directory}/cut.tar.gz`))).rejects.toMatchObject({
      code: 'oci/compression',
    });
  });

  it('chooses from an archive by name, as Docker completes it, and by place', async () => {
    const directory = temporaryDirectory();
    const config = (user: string) => configOf({ layers: [small], config: { config: { User: user } } });
    const entry = (name: string, tag: string) => ({ Config: name, RepoTags: [tag], Layers: ['layer.tar'] });
    const archive = await tar([
      { name: 'one.json', body: config('one') },
      { name: 'two.json', body: config('two') },
      { name: 'layer.tar', body: small },
      {
        name: 'manifest.json',
        body: JSON.stringify([entry('one.json', 'busybox:latest'), entry('two.json', 'quay.io/o/two:1')]),
      },
    ]);
    writeFileSync(join(directory, 'both.tar'), archive);
    const user = async (name: string) => {
      const source = await openFileSource(host, parseSource(`docker-archive:${directory}/both.tar:${name}`));
      return (await walkSource(source))[0]?.config.config?.User;
    };
    for (const name of ['busybox', 'busybox:latest', 'docker.io/library/busybox', '@0'])
      expect(await user(name)).toBe('one');
    for (const name of ['quay.io/o/two:1', '@1']) expect(await user(name)).toBe('two');
    for (const name of ['quay.io/o/two', 'o/two:1', '@2'])
      await expect(user(name)).rejects.toMatchObject({ code: 'oci/reference' });
  });

  it('names those that it cannot read, and the way around', () => {
    for (const name of ['containers-storage:localhost/x', 'ostree:x@/y', 'sif:x', 'tarball:x', 'atomic:x'])
      expect(() => parseSource(name)).toThrow('cannot be read');
  });
});
