import { AppError } from '../../errors/index.ts';
import { tarError, toText, type TarEntry } from '../tar/entry.ts';

/** What storage drivers leave in the attributes of files; it says nothing about the image. */
const driverAttributes = /^(?:trusted|user)\.overlay\./;

/** cleanName drops `./`, a leading slash and doubled ones; `..` is refused. The root is ''. */
export function cleanName(name: string): string {
  if (name.includes('\0')) throw tarError('path', 'a path with a NUL byte', name);
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw tarError('path', 'a path that climbs out with ..', name);
  return parts.join('/');
}

/** Directory order, as a file system walk gives it: `a`, `a/b`, `a.b`. Engines write nearly this. */
const sortKey = (name: string): string => name.replaceAll('/', '\0');

export interface OrderOptions {
  /** Seconds since 1970: no time in a layer is later. */
  readonly epoch: number;
  /** Absolute paths of bind mounts of RUN steps. */
  readonly mountPoints: readonly string[];
}

const isWhiteout = (name: string): boolean => name.slice(name.lastIndexOf('/') + 1).startsWith('.wh.');

/** A whiteout is its name alone; engines give it the modes and times that they please. */
const bare = (name: string, entry: TarEntry): TarEntry => {
  const { xattrs: _engine, ...rest } = entry;
  return { ...rest, name, mode: 0, uid: 0, gid: 0, mtime: 0 };
};

function normalise(entry: TarEntry, name: string, epoch: number): TarEntry {
  if (entry.type === 'file' && entry.size === 0 && isWhiteout(name)) return bare(name, entry);
  const xattrs = new Map([...(entry.xattrs ?? [])].filter(([key]) => !driverAttributes.test(key)));
  const { xattrs: _engine, ...rest } = entry;
  return {
    ...rest,
    name: entry.type === 'directory' ? `${name}/` : name,
    link: entry.type === 'link' ? cleanName(entry.link) : entry.link,
    mtime: Math.min(entry.mtime, epoch),
    xattrs: xattrs.size === 0 ? undefined : xattrs,
  };
}

/** A root entry like every root says nothing, and only some engines write it. */
const isPlainRoot = (entry: TarEntry): boolean => entry.mode === 0o755 && entry.uid === 0 && entry.gid === 0;

/** Directories of which a step touches no more than the time: what it put there is gone again. */
const scratch: ReadonlyMap<string, number> = new Map([
  ['run', 0o755],
  ['tmp', 0o1777],
]);

/**
 * dropTraces takes out empty directories that only tell of the step's surroundings: the place where a file
 * was mounted (BuildKit 0.8 leaves it), and /run and /tmp as every base has them (a driver that copies a
 * directory up lists it, one that compares trees does not).
 */
function dropTraces(byName: Map<string, TarEntry>, mountPoints: readonly string[]): void {
  const isEmptyDirectory = (name: string, mode: number): boolean => {
    const entry = byName.get(name);
    if (entry?.type !== 'directory' || entry.xattrs !== undefined) return false;
    if (entry.mode !== mode || entry.uid !== 0 || entry.gid !== 0) return false;
    for (const other of byName.keys()) if (other.startsWith(`${name}/`)) return false;
    return true;
  };
  for (const name of mountPoints.map(cleanName)) if (isEmptyDirectory(name, 0o755)) byName.delete(name);
  for (const [name, mode] of scratch) if (isEmptyDirectory(name, mode)) byName.delete(name);
}

interface Named {
  readonly key: string;
  readonly entry: TarEntry;
}

/** The member that holds a hard link's inode, through links to links. */
function target(byName: ReadonlyMap<string, TarEntry>, link: TarEntry): TarEntry {
  const seen = new Set<string>();
  let at: TarEntry | undefined = link;
  while (at?.type === 'link' && !seen.has(at.name)) {
    seen.add(at.name);
    at = byName.get(at.link);
  }
  if (at !== undefined && at.type !== 'link' && at.type !== 'directory') return at;
  throw new AppError('oci/layer-link', 'upstream', 'a hard link in a layer leads to nothing in that layer', {
    found: `${toText(link.name)} -> ${toText(link.link)}`,
  });
}

/**
 * ordered returns a layer's entries as this project writes them, whatever engine they came from:
 * sorted, each path once (the last one counts, as for an engine that unpacks it), times not after
 * `epoch`, no driver attributes, bare whiteouts, no traces of mounts, and of several hard links the
 * first in order holds the content.
 */
export function ordered(entries: readonly TarEntry[], options: OrderOptions): TarEntry[] {
  const byName = new Map<string, TarEntry>();
  for (const entry of entries) {
    const name = cleanName(entry.name);
    if (name === '' && isPlainRoot(entry)) continue;
    byName.set(name, normalise(entry, name, options.epoch));
  }
  dropTraces(byName, options.mountPoints);
  const sorted: Named[] = [...byName].map(([name, entry]) => ({ key: sortKey(name), entry }));
  sorted.sort((one, other) => (one.key < other.key ? -1 : one.key > other.key ? 1 : 0));
  const inodes = new Set<TarEntry>();
  for (const { entry } of sorted) if (entry.type === 'link') inodes.add(target(byName, entry));
  if (inodes.size === 0) return sorted.map(({ entry }) => entry);
  const first = new Map<TarEntry, string>();
  return sorted.map(({ entry }) => {
    const inode = entry.type === 'link' ? target(byName, entry) : entry;
    if (!inodes.has(inode)) return entry;
    const holder = first.get(inode);
    if (holder === undefined) {
      first.set(inode, entry.name);
      return { ...inode, name: entry.name };
    }
    const { xattrs: _inode, ...rest } = inode;
    return { ...rest, name: entry.name, type: 'link' as const, link: holder, size: 0 };
  });
}
