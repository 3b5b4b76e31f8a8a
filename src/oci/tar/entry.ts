import { AppError } from '../../errors/index.ts';

export type TarType = 'file' | 'link' | 'symlink' | 'character' | 'block' | 'directory' | 'fifo';

/**
 * TarEntry is one member of a tar archive. Strings are bytes as latin1, one character a byte:
 * names need not be UTF-8, and extended attributes such as security.capability are binary.
 */
export interface TarEntry {
  readonly name: string;
  readonly type: TarType;
  /** Permission bits only (0o7777): Docker's classic store adds the file type's bits here. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of content that follow; 0 for anything but a file. */
  readonly size: number;
  /** Whole seconds since 1970, rounded down. */
  readonly mtime: number;
  readonly link: string;
  readonly devMajor: number;
  readonly devMinor: number;
  /** `SCHILY.xattr.*` by attribute name. */
  readonly xattrs?: ReadonlyMap<string, string> | undefined;
  /** Where the content begins, in bytes from the start of the archive. */
  readonly offset: number;
}

/** A member of TarEntry that is text for people and rules. */
export const toText = (bytes: string): string => Buffer.from(bytes, 'latin1').toString('utf8');
export const toBytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

export function tarError(what: string, message: string, found?: string): AppError {
  return new AppError(`oci/tar-${what}`, 'upstream', message, {
    found: found === undefined ? undefined : JSON.stringify(toText(found.slice(0, 300))),
  });
}

/**
 * enginesDiffer is the refusal of an entry that engines unpack to different file systems: a gate that
 * believed one of them would not see what another runs. `engines` says which does what.
 */
export function enginesDiffer(what: string, entry: string, message: string, engines: string): AppError {
  return new AppError(`oci/tar-${what}`, 'upstream', message, {
    expected: 'an entry that every engine unpacks alike',
    found: `${JSON.stringify(toText(entry.slice(0, 300)))}: ${engines}`,
    hint: 'make the layer anew without this entry',
  });
}
