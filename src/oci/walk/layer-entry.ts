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

/** split gives the components of a path in a layer, refusing what leads out or cannot exist. */
export function split(name: string): string[] {
  if (name.includes('\0')) throw tarError('path', 'a path with a NUL byte', name);
  if (name.length > maxPath) throw tarError('path', `a path longer than ${maxPath} bytes`, name);
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  for (const part of parts) {
    if (part === '..') throw tarError('path', 'a path that climbs out with ..', name);
    if (part.length > maxName) throw tarError('path', `a name longer than ${maxName} bytes`, name);
  }
  return parts;
}
