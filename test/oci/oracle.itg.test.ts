import { execFileSync } from 'node:child_process';
import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createHost } from '../../src/host/index.ts';
import {
  createLayout,
  importArchive,
  layoutSource,
  validateLayout,
  walkSource,
  writeImageIndex,
} from '../../src/oci/index.ts';
import { chunks, dockerArchive, tar, temporaryDirectory, type TestEntry } from './support.ts';

const host = createHost({ quiet: true });

/** Six layers over one small name space, so that they overwrite, delete and hide each other often. */
async function randomImage(seed: number): Promise<Buffer> {
  let state = seed;
  const random = (limit: number) => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) % limit;
  const layers: Buffer[] = [];
  const lower = new Set<string>();
  for (let layer = 0; layer < 6; layer++) {
    const entries = new Map<string, TestEntry>();
    for (let made = 0; made < 40; made++) {
      const top = `d${random(4)}`;
      const sub = `${top}/s${random(3)}`;
      const name = `${sub}/f${random(6)}`;
      entries.set(top, { name: `${top}/`, type: 'directory', mode: 0o755 });
      entries.set(sub, { name: `${sub}/`, type: 'directory', mode: 0o700 + random(8) * 8 });
      const kind = random(10);
      if (kind === 0 && lower.has(name))
        entries.set(name, { name: `${sub}/.wh.${name.slice(sub.length + 1)}`, body: '' });
      else if (kind === 1) entries.set(`${sub}/!`, { name: `${sub}/.wh..wh..opq`, body: '' });
      else if (kind === 2) entries.set(name, { name, type: 'symlink', linkname: `f${random(6)}` });
      else entries.set(name, { name, body: 'x'.repeat(random(2000)), mode: 0o600 + random(8) * 8 });
      lower.add(name);
    }
    // Parents first, and what hides before what it must not hide: the order that every unpacker takes.
    layers.push(await tar([...entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry)));
  }
  return dockerArchive({ layers });
}

function unpacked(root: string, path = ''): [string, string][] {
  return readdirSync(join(root, path)).flatMap((name) => {
    const at = `${path}/${name}`;
    const stat = lstatSync(join(root, at));
    if (stat.isSymbolicLink()) return [[at, `link ${readlinkSync(join(root, at))}`]] as [string, string][];
    const mode = (stat.mode & 0o7777).toString(8);
    if (stat.isDirectory()) return [[at, `directory ${mode}`], ...unpacked(root, at)] as [string, string][];
    return [[at, `file ${mode} ${stat.size}`]] as [string, string][];
  });
}

describe('against other tools', () => {
  it.each([1, 2, 3, 4, 5])('umoci unpacks random image %i to exactly what the walk saw', async (seed) => {
    const directory = temporaryDirectory();
    const path = join(directory, 'layout');
    const layout = await createLayout(host, path);
    const image = await importArchive(host, layout, chunks(await randomImage(seed), 65_536), {
      platform: 'linux/amd64',
      sourceDateEpoch: 1_750_000_000,
    });
    // umoci reads a manifest, not a nested index.
    await layout.writeIndex({
      schemaVersion: 2,
      manifests: [{ ...image.descriptor, annotations: { 'org.opencontainers.image.ref.name': 'it' } }],
    });
    execFileSync('umoci', ['unpack', '--rootless', '--image', `${path}:it`, join(directory, 'bundle')], {
      stdio: 'pipe',
    });
    const [picture] = await walkSource(await layoutSource(host, path, 'it'));
    const seen = [...(picture?.tree ?? [])].flatMap(([at, { type, mode, size, link }]): [string, string][] => {
      if (at === '/') return [];
      if (type === 'symlink') return [[at, `link ${link ?? ''}`]];
      return [[at, type === 'directory' ? `directory ${mode.toString(8)}` : `file ${mode.toString(8)} ${size}`]];
    });
    const order = (list: [string, string][]) => list.sort(([a], [b]) => (a < b ? -1 : 1));
    expect(seen.length).toBeGreaterThan(20);
    expect(order(seen)).toEqual(order(unpacked(join(directory, 'bundle/rootfs'))));
  });

  it('skopeo inspects and copies a layout of ours, blob for blob', async () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'layout');
    const layout = await createLayout(host, path);
    const image = await importArchive(host, layout, chunks(await randomImage(9), 65_536), {
      platform: 'linux/amd64',
      sourceDateEpoch: 1,
    });
    await writeImageIndex(layout, [image.descriptor], { a: 'b' });
    expect(await validateLayout(host, path)).toEqual([]);
    const inspected = JSON.parse(execFileSync('skopeo', ['inspect', `oci:${path}`], { encoding: 'utf8' })) as {
      Layers: string[];
    };
    expect(inspected.Layers).toEqual(image.manifest.layers.map(({ digest }) => digest));
    execFileSync('skopeo', ['copy', '-q', '--all', `oci:${path}`, `dir:${join(directory, 'copy')}`]);
    const blobs = readdirSync(join(directory, 'copy'));
    for (const { digest } of image.manifest.layers) expect(blobs).toContain(digest.slice(7));
    // skopeo writes the classic archive that Docker 20.10 loads; reading it back gives the same image.
    execFileSync('skopeo', ['copy', '-q', `oci:${path}`, `docker-archive:${join(directory, 'back.tar')}:a/b:c`]);
    const again = await importArchive(host, layout, host.files.openRead(join(directory, 'back.tar')), {
      platform: 'linux/amd64',
      sourceDateEpoch: 1,
    });
    expect(again.manifest.layers).toEqual(image.manifest.layers);
  });
});
