import type { Entry, Picture } from '../core/index.ts';
import { matchesGlob } from './glob.ts';
import { dirname } from './tree.ts';

type Item = readonly [path: string, entry: Entry];

/** Census is what the rules want to know of all paths, taken in one pass: an image has 200,000. */
export interface Census {
  /** Files and directories above the base with SUID, SGID, file capabilities or write for others. */
  readonly special: readonly Item[];
  readonly links: readonly Item[];
  /** The ten largest files, largest first. */
  readonly largest: readonly { readonly path: string; readonly size: number; readonly layer: number }[];
  /** Everything directly in a directory of PATH. */
  readonly commands: readonly string[];
  /** `*.dist-info` directories: installed Python packages. */
  readonly packages: readonly string[];
  /** What each glob of the policy matches, directories left out. */
  readonly matched: ReadonlyMap<string, readonly string[]>;
}

const top = 10;

function isSpecial({ type, mode, capabilities }: Entry): boolean {
  return type === 'file'
    ? (mode & 0o6002) !== 0 || capabilities === true
    : type === 'directory' && (mode & 0o1002) === 0o002;
}

/** keepLargest holds ten while the paths pass by. */
function keepLargest(kept: { path: string; size: number; layer: number }[], path: string, entry: Entry): void {
  if (entry.size <= (kept[top - 1]?.size ?? 0)) return;
  kept.push({ path, size: entry.size, layer: entry.layer });
  kept.sort((a, b) => b.size - a.size || (a.path < b.path ? -1 : 1));
  kept.length = Math.min(kept.length, top);
}

/**
 * takeCensus goes through the tree once and collects what several rules need. `above`: the first layer that is not the
 * base's.
 */
export function takeCensus(
  tree: Picture['tree'],
  wanted: { readonly above: number; readonly searchPath: readonly string[]; readonly globs: readonly string[] },
): Census {
  const directories = new Set(wanted.searchPath);
  const special: Item[] = [];
  const links: Item[] = [];
  const largest: { path: string; size: number; layer: number }[] = [];
  const commands: string[] = [];
  const packages: string[] = [];
  const matched = new Map(wanted.globs.map((glob): [string, string[]] => [glob, []]));
  for (const [path, entry] of tree) {
    if (entry.type === 'symlink') links.push([path, entry]);
    else if (entry.layer >= wanted.above && isSpecial(entry)) special.push([path, entry]);
    if (entry.type === 'file') keepLargest(largest, path, entry);
    if (path.endsWith('.dist-info')) packages.push(path);
    if (entry.type === 'directory') continue;
    if (directories.has(dirname(path))) commands.push(path);
    for (const [glob, paths] of matched) if (matchesGlob(glob, path)) paths.push(path);
  }
  return { special, links, largest, commands, packages, matched };
}
