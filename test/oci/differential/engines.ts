import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { configOf, sha256 } from '../support.ts';
import type { GeneratedImage } from './images.ts';
import { manifestOf, unpackedTree, type TreeLines } from './trees.ts';

const exec = promisify(execFile);

/** Unpacked is an engine's answer about one image: its tree, or why it refused. */
export type Unpacked = TreeLines | string;

/** writeLayout writes all images into one OCI layout, tagged with their names. */
export function writeLayout(path: string, images: readonly GeneratedImage[]): void {
  const blobs = join(path, 'blobs/sha256');
  mkdirSync(blobs, { recursive: true });
  const put = (bytes: Buffer) => {
    writeFileSync(join(blobs, sha256(bytes).slice(7)), bytes);
  };
  const manifests = images.map(({ name, layers }) => {
    const config = configOf({ layers });
    const manifest = Buffer.from(manifestOf(layers, config));
    for (const bytes of [config, manifest, ...layers]) put(bytes);
    return {
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest: sha256(manifest),
      size: manifest.length,
      platform: { os: 'linux', architecture: 'amd64' },
      annotations: { 'org.opencontainers.image.ref.name': name },
    };
  });
  writeFileSync(join(path, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
  writeFileSync(join(path, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
}

/** byUmoci unpacks every image with umoci, two at a time. */
export async function byUmoci(
  layout: string,
  directory: string,
  images: readonly GeneratedImage[],
): Promise<Unpacked[]> {
  const results: Unpacked[] = [];
  let next = 0;
  const work = async () => {
    for (let at = next++; at < images.length; at = next++) {
      const name = images[at]?.name ?? '';
      const bundle = join(directory, name);
      try {
        await exec('umoci', ['unpack', '--image', `${layout}:${name}`, bundle]);
        results[at] = unpackedTree(join(bundle, 'rootfs'));
      } catch (error) {
        results[at] = lastLine((error as { stderr?: string }).stderr ?? String(error));
      }
    }
  };
  await Promise.all([work(), work()]);
  return results;
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';

/**
 * byPodman pulls every image into a store of its own and mounts them: a start of podman for many
 * images at once. The layers are unpacked by containers/storage with the driver that is named.
 */
export function byPodman(
  driver: 'overlay' | 'vfs',
  layout: string,
  directory: string,
  images: readonly GeneratedImage[],
): Unpacked[] {
  const podman = (...args: readonly string[]) => {
    const store = ['--root', join(directory, 'root'), '--runroot', join(directory, 'run'), '--storage-driver', driver];
    return spawnSync('podman', [...store, ...args], { encoding: 'utf8', maxBuffer: 1 << 28 });
  };
  try {
    return batches(images, 80).flatMap((batch) => {
      const ids = new Map(batch.map(({ name, layers }) => [name, sha256(configOf({ layers })).slice(7)]));
      const pulled = podman('pull', '--quiet', ...batch.map(({ name }) => `oci:${layout}:${name}`));
      const there = new Set(
        podman('images', '--quiet', '--no-trunc')
          .stdout.split('\n')
          .map((id) => id.replace('sha256:', '')),
      );
      const known = batch.filter(({ name }) => there.has(ids.get(name) ?? ''));
      const mounted = podman('image', 'mount', '--format', 'json', ...known.map(({ name }) => ids.get(name) ?? ''));
      const points = JSON.parse(mounted.stdout === '' ? '[]' : mounted.stdout) as { id: string; mountpoint: string }[];
      const roots = new Map(points.map(({ id, mountpoint }) => [id, mountpoint]));
      // One error for each image that failed, in their order, none with a name.
      const errors = pulled.stderr
        .split('\n')
        .filter((text) => /^(?:Error|time=)/.test(text))
        .filter((text) => !text.includes('level=warning'));
      const trees = batch.map(({ name }): Unpacked => {
        const root = roots.get(ids.get(name) ?? '');
        return root === undefined
          ? (errors.shift() ?? `no error, but no image: ${mounted.stderr}`)
          : unpackedTree(root);
      });
      podman('image', 'unmount', '--all');
      return trees;
    });
  } finally {
    podman('image', 'unmount', '--all');
    spawnSync('umount', [join(directory, 'root', driver)]);
  }
}

function batches<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.slice(at * size, (at + 1) * size));
}
