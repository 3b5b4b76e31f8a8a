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

function normalise(entry: TarEntry, name: string, epoch: number): TarEntry {
  const xattrs = new Map([...(entry.xattrs ?? [])].filter(([key]) => !driverAttributes.test(key)));
  const { xattrs: _engine, ...rest } = entry;
  return {
    ...rest,
    name: entry.type === 'directory' ? `${name}/` : name,
    link: entry.type === 'link' ? cleanName(entry.link) : entry.link,
    mtime: Math.min(entry.mtime, epoch),
    ...(xattrs.size === 0 ? {} : { xattrs }),
  };
}

/** A root entry like every root says nothing, and only some engines write it. */
const isPlainRoot = (entry: TarEntry): boolean => entry.mode === 0o755 && entry.uid === 0 && entry.gid === 0;

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
 * ordered gives a layer's entries as this project writes them, whatever engine they came from:
 * sorted, each path once (the last one counts, as for whoever unpacks it), times not after
 * `epoch`, no driver attributes, and of several hard links the first in order holds the content.
 */
export function ordered(entries: readonly TarEntry[], epoch: number): TarEntry[] {
  const byName = new Map<string, TarEntry>();
  for (const entry of entries) {
    const name = cleanName(entry.name);
    if (name === '' && isPlainRoot(entry)) continue;
    byName.set(name, normalise(entry, name, epoch));
  }
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
