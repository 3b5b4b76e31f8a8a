import type { Entry } from '../core/index.ts';
import { describe, resolve, type Tree } from './tree.ts';

/** Identity is the user and groups that a process runs with; capabilities are dropped, so UID 0 alone is above the bits. */
export interface Identity {
  /** For messages, e.g. `random UID 1000680000 in group 0`. */
  readonly name: string;
  readonly uid: number;
  /** Primary and supplementary groups. */
  readonly gids: readonly number[];
}

export interface Obstacle {
  readonly path: string;
  /** One sentence: who is refused what, by which class of which bits. */
  readonly because: string;
}

const bitOf = { r: 4, w: 2, x: 1 } as const;

/** The class that applies is the first that fits, even when a later one would grant more (acl(5), inode(7)). */
function classOf(entry: Entry, who: Identity): { name: 'owner' | 'group' | 'other'; bits: number } {
  if (entry.uid === who.uid) return { name: 'owner', bits: (entry.mode >> 6) & 7 };
  if (who.gids.includes(entry.gid)) return { name: 'group', bits: (entry.mode >> 3) & 7 };
  return { name: 'other', bits: entry.mode & 7 };
}

function refusal(path: string, entry: Entry, who: Identity, wanted: string): Obstacle | undefined {
  if (who.uid === 0) return undefined;
  const { name, bits } = classOf(entry, who);
  const lacking = (['r', 'w', 'x'] as const)
    .filter((letter) => wanted.includes(letter) && (bits & bitOf[letter]) === 0)
    .join('');
  if (lacking === '') return undefined;
  return {
    path,
    because: `${path} is ${describe(entry)}: as ${name}, ${who.name} has no ${lacking}`,
  };
}

/**
 * obstacleTo finds the first thing that keeps `who` from using `path` with the rights `wanted`
 * (letters of `rwx`): a parent that cannot be searched, a missing object, or its own bits.
 * Every link on the way is followed inside the image and its parents are searched too.
 */
export function obstacleTo(tree: Tree, who: Identity, path: string, wanted: string): Obstacle | undefined {
  const found = resolve(tree, path);
  if (found.$case === 'missing') return { path: found.at, because: `${found.at} does not exist` };
  if (found.$case === 'not-directory') return { path: found.at, because: `${found.at} is not a directory` };
  if (found.$case === 'loop') return { path: found.at, because: `${found.at} is a loop of links` };
  for (const { path: parent, entry } of found.searched) {
    const refused = refusal(parent, entry, who, 'x');
    if (refused !== undefined) return { ...refused, because: `${refused.because} (search) on the way to ${path}` };
  }
  return refusal(found.path, found.entry, who, wanted);
}
