import { tarError, type TarType } from '../tar/entry.ts';

/** PATH_MAX and NAME_MAX of Linux: nothing longer can be unpacked. */
export const maxPath = 4096;
export const maxName = 255;

/** A layer's entry as the tree takes it; strings are bytes as latin1. */
export interface LayerEntry {
  readonly type: TarType;
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly link: string;
  readonly capabilities: boolean;
}

/**
 * split returns the components of a path in a layer as engines clean it, `a/../b` by its text alone.
 * Throws `oci/tar-path` for what leads out of the root or cannot exist.
 */
export function split(name: string): string[] {
  const parts: string[] = [];
  for (const part of pieces(name)) {
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined && !name.startsWith('/')) {
      // Engines clean it away, behind their chroot; no builder writes it.
      throw tarError('path', 'a path that climbs out with ..', name);
    }
  }
  return parts;
}

/** splitTarget is split for the target of a hard link: every engine keeps it inside the root. */
export const splitTarget = (link: string): string[] => split(`/${link}`);

function pieces(name: string): string[] {
  if (name.includes('\0')) throw tarError('path', 'a path with a NUL byte', name);
  if (name.length > maxPath) throw tarError('path', `a path longer than ${maxPath} bytes`, name);
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  for (const part of parts) {
    if (part.length > maxName) throw tarError('path', `a name longer than ${maxName} bytes`, name);
  }
  return parts;
}
