import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats } from 'node:fs';
import { Readable } from 'node:stream';
import { parseImageConfig, parseManifest } from '../../../src/core/index.ts';
import { walkImage } from '../../../src/oci/index.ts';
import { chunks, configOf, sha256 } from '../support.ts';

/** TreeLines is a file system as one line a path, for comparison: type, mode, owner, and what it holds. */
export type TreeLines = ReadonlyMap<string, string>;

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex').slice(0, 16);

function typeOf(stat: Stats): string {
  if (stat.isDirectory()) return 'directory';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isFIFO()) return 'fifo';
  if (stat.isCharacterDevice()) return 'character';
  return stat.isBlockDevice() ? 'block' : 'file';
}

function line(type: string, mode: number, owner: string, holds: string): string {
  // A symlink has no mode of its own.
  return [type, type === 'symlink' ? '-' : mode.toString(8), owner, holds].join(' ').trim();
}

/** unpackedTree reads what an engine unpacked; paths are bytes as latin1. */
export function unpackedTree(root: string): TreeLines {
  const lines = new Map<string, string>();
  const visit = (directory: string, path: string): void => {
    for (const name of readdirSync(Buffer.from(directory, 'latin1'), { encoding: 'latin1' })) {
      const at = `${directory}/${name}`;
      const file = Buffer.from(at, 'latin1');
      // An overlay lists a whiteout in a directory that only one layer has, but finds nothing there.
      const stat = lstatSync(file, { throwIfNoEntry: false });
      if (stat === undefined) continue;
      const type = typeOf(stat);
      const holds =
        type === 'symlink'
          ? readlinkSync(file, { encoding: 'latin1' })
          : type === 'file'
            ? `${stat.size} ${digest(readFileSync(file))}`
            : '';
      lines.set(`${path}/${name}`, line(type, stat.mode & 0o7777, `${stat.uid}:${stat.gid}`, holds));
      if (type === 'directory') visit(at, `${path}/${name}`);
    }
  };
  visit(root, '');
  return lines;
}

/** walkedTree is what our walk sees of the same layers. Throws what the walk throws. */
export async function walkedTree(layers: readonly Buffer[]): Promise<TreeLines> {
  const byDigest = new Map(layers.map((layer) => [sha256(layer), layer]));
  const config = configOf({ layers });
  const picture = await walkImage(
    {
      platform: 'linux/amd64',
      manifestDigest: sha256('manifest'),
      manifest: parseManifest(manifestOf(layers, config)),
      config: parseImageConfig(config),
      open: async (descriptor) => Readable.from(chunks(byDigest.get(descriptor.digest) ?? Buffer.alloc(0), 1013)),
    },
    { collectors: { wantContent: () => true } },
  );
  const lines = new Map<string, string>();
  for (const [path, { type, mode, uid, gid, size, link = '' }] of picture.tree) {
    if (path === '/') continue;
    const holds =
      type === 'symlink'
        ? link
        : type === 'file'
          ? `${size} ${digest(picture.contents.get(path) ?? Buffer.alloc(0))}`
          : '';
    lines.set(path, line(type, mode, `${uid}:${gid}`, holds));
  }
  return lines;
}

/** manifestOf is an OCI manifest of uncompressed layers. */
export function manifestOf(layers: readonly Buffer[], config: Buffer): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: sha256(config), size: config.length },
    layers: layers.map((layer) => ({
      mediaType: 'application/vnd.oci.image.layer.v1.tar',
      digest: sha256(layer),
      size: layer.length,
    })),
  });
}

/** differences names each path that two trees have differently. */
export function differences(ours: TreeLines, theirs: TreeLines): string[] {
  return [...new Set([...ours.keys(), ...theirs.keys()])]
    .filter((path) => ours.get(path) !== theirs.get(path))
    .map((path) => `${path}: ours ${ours.get(path) ?? 'absent'}, theirs ${theirs.get(path) ?? 'absent'}`);
}
