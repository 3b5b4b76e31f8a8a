import type { Digest } from './digest.ts';
import type { ImageConfig, Manifest } from './oci.ts';
import type { ImagePlatform } from './platform.ts';

export type EntryType = 'file' | 'directory' | 'symlink' | 'character' | 'block' | 'fifo';

/** Entry is one path of the final file system; hard links appear as files. Numbers, not names. */
export interface Entry {
  readonly type: EntryType;
  /** Permission bits with SUID 0o4000, SGID 0o2000, sticky 0o1000. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes; 0 for anything but a file. */
  readonly size: number;
  /** Target of a symlink, as written. */
  readonly link?: string | undefined;
  /** Layer that last wrote it, 0 the lowest. */
  readonly layer: number;
  /** `security.capability` xattr present. */
  readonly capabilities?: true | undefined;
}

/** A path that a later layer overwrote or deleted: it still ships in its layer's bytes. */
export interface Shadowed {
  readonly path: string;
  readonly layer: number;
  /** The layer that hid it. */
  readonly by: number;
  readonly size: number;
}

export interface LayerFacts {
  readonly digest: Digest;
  readonly diffId: Digest;
  /** Compressed bytes. */
  readonly size: number;
  readonly uncompressedSize: number;
  readonly entries: number;
  /** The history entry that made it. */
  readonly createdBy?: string | undefined;
}

/**
 * Picture is what one streaming pass over an image's layers leaves behind: enough for every
 * rule, without the bytes. Paths are absolute (`/usr/bin/gh`), `/` is there.
 */
export interface Picture {
  readonly platform: ImagePlatform;
  readonly manifestDigest: Digest;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
  readonly layers: readonly LayerFacts[];
  readonly tree: ReadonlyMap<string, Entry>;
  /** Files only; at most 100,000 of them. */
  readonly shadowed: readonly Shadowed[];
  /** All of them: how many files, and how many bytes they waste. */
  readonly shadowedTotal: { readonly count: number; readonly bytes: number };
  /** Whole content of the small files that a collector asked for, by path (final version only). */
  readonly contents: ReadonlyMap<string, Uint8Array>;
  /** What content scanners reported, in any layer, deleted files included. */
  readonly matches: readonly ContentMatch[];
  /** Lower layer's symlink that a later layer's entry was written through or over. */
  readonly overLinks: readonly { readonly path: string; readonly link: string; readonly layer: number }[];
}

/** ContentMatch is a hit of a content scanner; the matched text itself is never kept. */
export interface ContentMatch {
  readonly rule: string;
  readonly path: string;
  readonly layer: number;
  /** 1-based line, where the file is text. */
  readonly line?: number | undefined;
  /** First characters and length only, e.g. `ghp_… (40 characters)`. */
  readonly redacted: string;
}
