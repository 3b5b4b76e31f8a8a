import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import {
  createLayout,
  importArchive,
  validateLayout,
  writeImageIndex,
  type ImportRequest,
} from '../../src/oci/index.ts';
import { inputFormat } from '../../src/flows/plan-digest.ts';
import { gzipLevel } from '../../src/oci/import/gzip.ts';
import { fakeHost } from '../support/fake-host.ts';
import {
  chunks,
  dockerArchive,
  ociArchive,
  registryImage,
  sha256,
  tar,
  temporaryDirectory,
  type TestEntry,
} from './support.ts';

const epoch = 1_750_000_000;
const late = new Date(1_800_000_000_000);
const early = new Date(1_600_000_000_000);

const baseLayers = [
  await tar([
    { name: 'etc/', type: 'directory' },
    { name: 'etc/base', body: 'base', mtime: early },
  ]),
  await tar([{ name: 'usr/', type: 'directory' }]),
];
const ownEntries: TestEntry[] = [
  { name: 'app/', type: 'directory', mtime: late },
  { name: 'app/.wh.gone', body: '' },
  { name: 'app/a', body: 'content of a', mtime: early },
  { name: 'app/b', type: 'link', linkname: 'app/a', mtime: early },
  { name: 'app/sub/', type: 'directory', mtime: late },
  { name: 'app/sub/x', body: 'x'.repeat(3000), mtime: late, mode: 0o4755, uid: 3_000_000 },
  { name: 'app.d/', type: 'directory', mtime: late },
  { name: `app.d/${'long'.repeat(30)}`, body: 'long', mtime: late },
];
const request: ImportRequest = { platform: 'linux/amd64', sourceDateEpoch: epoch };

async function importInto(archive: Buffer, overrides: Partial<ImportRequest> = {}) {
  const host = fakeHost();
  const directory = join(temporaryDirectory(), 'image');
  const layout = await createLayout(host, directory);
  const image = await importArchive(host, layout, chunks(archive), { ...request, ...overrides });
  return { host, directory, layout, image };
}

async function names(layout: { read(blob: { digest: never; size: number }): Promise<Buffer> }, blob: unknown) {
  const bytes = gunzipSync(await layout.read(blob as { digest: never; size: number }));
  const found: {
    name: string;
    type: string | null | undefined;
    mtime: number;
    uname: string | undefined;
    link: string | null | undefined;
  }[] = [];
  const stream = extract();
  stream.end(bytes);
  for await (const entry of stream) {
    const { name, type, mtime, uname, linkname } = entry.header;
    found.push({ name, type, mtime: mtime.getTime() / 1000, uname, link: linkname });
    entry.resume();
  }
  return found;
}

describe('when the same image comes from two engines', () => {
  it('the layout gets the same manifest, byte for byte', async () => {
    const shuffled = [7, 6, 5, 4, 2, 3, 1, 0].map((index) => ownEntries[index] ?? { name: '' });
    const messy = shuffled.map((entry) => ({ ...entry, name: `./${entry.name}`, uname: 'root', gname: 'wheel' }));
    const classic = await tar(ownEntries);
    const other = await tar([{ name: './', type: 'directory' }, ...messy]);
    expect(sha256(classic)).not.toBe(sha256(other));
    const base = registryImage({ layers: baseLayers }).base;
    const config = { container: 'abc', docker_version: '20.10', config: { User: '', Env: ['A=b'], Volumes: null } };
    const one = await importInto(await dockerArchive({ layers: [...baseLayers, classic], config }), { base });
    const two = await importInto(
      await ociArchive({ layers: [...baseLayers, other], config: { config: { Env: ['A=b'] } } }),
      { base },
    );
    expect(one.image.descriptor.digest).toBe(two.image.descriptor.digest);
  });
});

describe('the bytes of a layout', () => {
  /**
   * An unchanged input digest means "built already": whoever changes what the same inputs become must raise
   * `inputFormat` in src/flows/plan-digest.ts, or old layouts count as new ones. Then, and only then, write the new
   * digests here. Compressed digests are left out, for another zlib may compress otherwise.
   */
  it('are those of format 1 of the input digest', async () => {
    const { base } = registryImage({ layers: baseLayers });
    const runtime = {
      User: '1001',
      Env: ['A=b'],
      Labels: { 'io.buildah.version': '1.28' },
      ExposedPorts: { '8001/tcp': {} },
    };
    const archive = await dockerArchive({
      layers: [...baseLayers, await tar(ownEntries)],
      config: { config: runtime },
    });
    const instructions = ['COPY app /app'];
    const { layout, image } = await importInto(archive, { base, instructions, annotations: { note: 'n' } });
    const config = JSON.parse((await layout.read(image.manifest.config)).toString()) as {
      rootfs: { diff_ids: string[] };
    };
    const { layers, ...rest } = image.manifest;
    expect({
      format: inputFormat,
      layer: config.rootfs.diff_ids.at(-1),
      config: image.manifest.config.digest,
      manifest: sha256(JSON.stringify([rest, layers.map(({ mediaType }) => mediaType)])),
      gzipLevel,
    }).toEqual({
      format: 1,
      layer: 'sha256:971a9fccd122528c268756f04e4b407f49f26944882be4ecdbfe24ab6505cdf5',
      config: 'sha256:9e24ddd0b2c1e8fadadb66cdf8aaafc00fd9c1355c8541a2fe16154c6a9934e1',
      manifest: 'sha256:1b84223cf70ea70841a7bb04f7153c70f65822a8df44824953aa862ac7dd8892',
      gzipLevel: 4,
    });
  });
});

describe('importArchive', () => {
  it('keeps the blobs and digests of the base and records the proof', async () => {
    const { base } = registryImage({ layers: baseLayers });
    const archive = await dockerArchive({ layers: [...baseLayers, await tar(ownEntries)] });
    const { image } = await importInto(archive, { base });
    const upstream = base.manifest.layers.map(({ digest }) => digest);
    expect(image.manifest.layers.slice(0, 2).map(({ digest }) => digest)).toEqual(upstream);
    expect(image.manifest.layers.map(({ mediaType }) => mediaType)).toEqual(
      Array(3).fill('application/vnd.oci.image.layer.v1.tar+gzip'),
    );
    expect(image.base).toEqual({
      digest: base.digest,
      manifestDigest: base.manifestDigest,
      layers: baseLayers.map((layer, index) => ({ digest: upstream[index], diffId: sha256(layer) })),
    });
  });

  it('writes own layers in directory order, clamps later times only, and makes the first name hold the content', async () => {
    const reversed = [...ownEntries].reverse().sort((one) => (one.type === 'link' ? 1 : -1));
    const { image, layout } = await importInto(await dockerArchive({ layers: [await tar(reversed)] }));
    const entries = await names(layout, image.manifest.layers[0]);
    expect(entries.map(({ name }) => name)).toEqual([
      'app/',
      'app/.wh.gone',
      'app/a',
      'app/b',
      'app/sub/',
      'app/sub/x',
      'app.d/',
      `app.d/${'long'.repeat(30)}`,
    ]);
    expect(entries.map(({ mtime }) => mtime)).toEqual([
      epoch,
      // A whiteout is its name alone.
      0,
      1_600_000_000,
      1_600_000_000,
      epoch,
      epoch,
      epoch,
      epoch,
    ]);
    expect(entries[3]).toMatchObject({ type: 'link', link: 'app/a', uname: '' });
  });

  it('moves the content to the first name when a later one held it', async () => {
    const layer = await tar([
      { name: 'z', body: 'content' },
      { name: 'a', type: 'link', linkname: '/z' },
    ]);
    const { image, layout } = await importInto(await dockerArchive({ layers: [layer] }));
    const entries = await names(layout, image.manifest.layers[0]);
    expect(entries).toMatchObject([
      { name: 'a', type: 'file' },
      { name: 'z', type: 'link', link: 'a' },
    ]);
  });

  it('keeps binary extended attributes and drops times that PAX adds', async () => {
    // VFS_CAP_REVISION_2 with bytes that are no UTF-8; tar-stream would write them as text.
    const capability = Buffer.from([1, 0, 0, 2, 0xff, 0x80, 0xfe, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    const header = await tar([{ name: 'bin/ping', body: 'elf', mode: 0o755 }]);
    const record = (key: string, value: Buffer) => {
      const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')]);
      return Buffer.concat([Buffer.from(String(rest.length + 2)), rest]);
    };
    const pax = Buffer.concat([
      record('SCHILY.xattr.security.capability', capability),
      record('atime', Buffer.from('1700000000.5')),
    ]);
    const extended = await tar([{ name: 'x', type: 'file', body: pax }]);
    extended.write('x', 156);
    extended.fill(' ', 148, 156);
    extended.write(
      `${extended
        .subarray(0, 512)
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
    );
    const layer = Buffer.concat([extended.subarray(0, 1024), header]);
    const { image, layout } = await importInto(await dockerArchive({ layers: [layer] }));
    const written = gunzipSync(await layout.read(image.manifest.layers[0] as never));
    expect(written.includes(capability)).toBe(true);
    expect(written.includes('atime')).toBe(false);
  });

  it('resolves a duplicate layer that Docker 20.10 saved as a link, and drops an empty one', async () => {
    const layer = await tar([{ name: 'a', body: 'a' }]);
    const empty = Buffer.alloc(1024);
    const { image } = await importInto(await dockerArchive({ layers: [layer, empty, layer] }));
    expect(image.manifest.layers).toHaveLength(2);
    expect(image.manifest.layers[0]).toEqual(image.manifest.layers[1]);
    expect(image.config.history?.map((entry) => entry.empty_layer)).toEqual([undefined, true, undefined]);
  });

  it('rewrites times, keeps unknown members and empty labels, drops traces of the build', async () => {
    const config = {
      'moby.buildkit.buildinfo.v1': 'x',
      container_config: {},
      variant: 'v8',
      config: { Labels: { empty: '' }, Healthcheck: { Test: ['NONE'] }, Tty: false, StopSignal: 'SIGINT' },
      strange: { b: 1, a: '' },
    };
    const archive = await dockerArchive({ layers: [await tar(ownEntries)], architecture: 'arm64', config });
    const { image, layout } = await importInto(archive, { platform: 'linux/arm64' });
    const written = JSON.parse((await layout.read(image.manifest.config)).toString()) as Record<string, unknown>;
    expect(Object.keys(written)).toEqual(['architecture', 'config', 'created', 'history', 'os', 'rootfs', 'strange']);
    expect(written['config']).toEqual({ Healthcheck: { Test: ['NONE'] }, Labels: { empty: '' }, StopSignal: 'SIGINT' });
    expect(written['strange']).toEqual({ a: '', b: 1 });
    expect(written['history']).toEqual([{ created: '2025-06-15T15:06:40Z', created_by: 'step 0' }]);
    expect(written['created']).toBe('2025-06-15T15:06:40Z');
  });

  it('writes an index in fixed platform order that the validator accepts, and leaves no temporary file', async () => {
    const { base } = registryImage({ layers: baseLayers });
    const { host, directory, layout, image } = await importInto(
      await dockerArchive({ layers: [...baseLayers, await tar(ownEntries)] }),
      { base },
    );
    const arm = await importArchive(
      host,
      layout,
      chunks(await dockerArchive({ layers: [await tar(ownEntries)], architecture: 'arm64' })),
      { ...request, platform: 'linux/arm64' },
    );
    await writeImageIndex(layout, [arm.descriptor, image.descriptor], { b: '2', a: '1' }, 'latest');
    expect(await validateLayout(host, directory)).toEqual([]);
    const top = (await layout.index())?.manifests[0];
    const index = JSON.parse((await layout.read(top as never)).toString()) as {
      manifests: { platform: { architecture: string } }[];
    };
    expect(index.manifests.map(({ platform }) => platform.architecture)).toEqual(['amd64', 'arm64']);
    expect(readdirSync(join(directory, 'blobs/sha256')).filter((name) => !/^[0-9a-f]{64}$/.test(name))).toEqual([]);
  });
});

const layer = await tar(ownEntries);

describe('when the archive is not what it says', () => {
  const failure = async (archive: Buffer, overrides: Partial<ImportRequest> = {}) => {
    const { directory, error } = await (async () => {
      const host = fakeHost();
      const directory = join(temporaryDirectory(), 'image');
      const layout = await createLayout(host, directory);
      const error: unknown = await importArchive(host, layout, chunks(archive), { ...request, ...overrides }).catch(
        (error: unknown) => error,
      );
      return { directory, error };
    })();
    expect(readdirSync(join(directory, 'blobs/sha256')).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    return error as { code: string; message: string; facts: { expected?: string; found?: string } };
  };
  it('another base is an error that names the layer and both diffIDs', async () => {
    const { base } = registryImage({ layers: baseLayers });
    const other = await tar([{ name: 'etc/other', body: 'x' }]);
    const error = await failure(await dockerArchive({ layers: [baseLayers[0] ?? layer, other, layer] }), { base });
    expect(error).toMatchObject({
      code: 'oci/base-mismatch',
      message: 'layer 1 of the image is not layer 1 of the base',
    });
    expect(error.facts.found).toContain(sha256(other));
    expect(error.facts.expected).toContain(sha256(baseLayers[1] ?? layer));
  });

  it('a base blob with other bytes is an error', async () => {
    const { base } = registryImage({ layers: baseLayers });
    const wrong = registryImage({ layers: [await tar([{ name: 'evil', body: 'x' }]), layer] });
    const lying = { ...base, open: async () => wrong.base.open(wrong.base.manifest.layers[0] as never) };
    const error = await failure(await dockerArchive({ layers: [...baseLayers, layer] }), { base: lying });
    expect(error.code).toMatch(/^oci\/(digest|size)-mismatch$/);
  });

  it('a layer with other content than the config says is an error', async () => {
    const archive = await dockerArchive({
      layers: [layer],
      config: { rootfs: { type: 'layers', diff_ids: [sha256('x')] } },
    });
    expect(await failure(archive)).toMatchObject({
      code: 'oci/digest-mismatch',
      facts: { expected: sha256('x'), found: sha256(layer) },
    });
  });

  it('another platform is an error that names both', async () => {
    const error = await failure(await dockerArchive({ layers: [layer], architecture: 's390x' }));
    expect(error).toMatchObject({ code: 'oci/archive', facts: { expected: 'linux/amd64', found: 'linux/s390x' } });
    expect(await failure(await ociArchive({ layers: [layer], architecture: 'arm64' }))).toMatchObject({
      code: 'oci/archive',
    });
  });

  it.each([512, 5000])('an archive cut after %i bytes is an error', async (length) => {
    const archive = await dockerArchive({ layers: [layer] });
    expect(await failure(archive.subarray(0, length))).toMatchObject({
      code: expect.stringMatching(/^oci\/(tar-truncated|archive)$/) as string,
    });
  });

  it('a member that lies outside of the archive is an error', async () => {
    expect(await failure(await tar([{ name: '../../evil', body: 'x' }]))).toMatchObject({ code: 'oci/archive-path' });
  });

  it('an entry of a layer that climbs out is an error', async () => {
    const evil = await tar([{ name: 'a/../../evil', body: 'x' }]);
    expect(await failure(await dockerArchive({ layers: [evil] }))).toMatchObject({ code: 'oci/tar-path' });
  });

  it('a loop of layer links and an archive without an image are errors', async () => {
    const loop = await tar([
      { name: 'a/layer.tar', type: 'symlink', linkname: '../b/layer.tar' },
      { name: 'b/layer.tar', type: 'symlink', linkname: '../a/layer.tar' },
      {
        name: 'c.json',
        body: JSON.stringify({
          architecture: 'amd64',
          os: 'linux',
          rootfs: { type: 'layers', diff_ids: [sha256('x')] },
        }),
      },
      { name: 'manifest.json', body: JSON.stringify([{ Config: 'c.json', Layers: ['a/layer.tar'] }]) },
    ]);
    expect(await failure(loop)).toMatchObject({
      code: 'oci/archive',
      message: "the engine's archive lacks a member, or its links lead nowhere",
    });
    expect(await failure(await tar([{ name: 'x', body: 'y' }]))).toMatchObject({
      code: 'oci/archive',
      message: "the engine's archive is no image archive",
    });
    expect(await failure(Buffer.from('<html>502 Bad Gateway</html>'.repeat(100)))).toMatchObject({
      code: expect.stringMatching(/^oci\/tar-(checksum|number)$/) as string,
    });
  });
});
