import type { Entry, Picture } from '../core/index.ts';

export type Tree = Picture['tree'];

/** Linux gives up after 40 links (path_resolution(7)). */
const maxLinks = 40;

/**
 * Characters that all links on one way may add together, as many as Linux takes in one path (PATH_MAX). Forty links of
 * four thousand each would cost milliseconds for every path that begins with them.
 */
const maxAdded = 4096;

/** Step is one directory that was searched, or the object at the end, with its own path. */
export interface Step {
  readonly path: string;
  readonly entry: Entry;
}

export type Resolved =
  | {
      readonly $case: 'found';
      readonly path: string;
      readonly entry: Entry;
      /** Every directory searched on the way, links' own parents included, in order. */
      readonly searched: readonly Step[];
      /** Links that were followed, in order. */
      readonly links: readonly Step[];
    }
  | { readonly $case: 'missing'; readonly at: string; readonly links: readonly Step[] }
  | { readonly $case: 'not-directory'; readonly at: string; readonly links: readonly Step[] }
  | { readonly $case: 'loop'; readonly at: string; readonly links: readonly Step[] };

const join = (directory: string, name: string): string => (directory === '/' ? `/${name}` : `${directory}/${name}`);

export const dirname = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';

export const basename = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

const components = (path: string): string[] => path.split('/').filter((part) => part !== '' && part !== '.');

/**
 * resolve walks an absolute path inside the image as the kernel would with the image as root
 * (path_resolution(7)): links are followed, also the last one unless `keepLast`, and `..` at
 * the root stays there.
 */
export function resolve(tree: Tree, path: string, keepLast = false): Resolved {
  const links: Step[] = [];
  const searched: Step[] = [];
  let here = '/';
  let added = 0;
  /** What is left of the way, its next component last. */
  const rest = components(path).reverse();
  for (;;) {
    const entry = tree.get(here);
    if (entry === undefined) return { $case: 'missing', at: here, links };
    if (entry.type === 'symlink' && (rest.length > 0 || !keepLast)) {
      links.push({ path: here, entry });
      const target = entry.link ?? '';
      added += target.length;
      if (links.length > maxLinks || added > maxAdded) return { $case: 'loop', at: here, links };
      rest.push(...components(target).reverse());
      here = target.startsWith('/') ? '/' : dirname(here);
      continue;
    }
    const name = rest.at(-1);
    if (name === undefined) return { $case: 'found', path: here, entry, searched, links };
    if (entry.type !== 'directory') return { $case: 'not-directory', at: here, links };
    rest.pop();
    searched.push({ path: here, entry });
    here = name === '..' ? dirname(here) : join(here, name);
  }
}

/** lookup returns the object that a path leads to, or undefined when it leads nowhere. */
export function lookup(tree: Tree, path: string): Step | undefined {
  const found = resolve(tree, path);
  return found.$case === 'found' ? { path: found.path, entry: found.entry } : undefined;
}

/** isUnder: is `path` the directory itself or below it, both written without a final slash? */
export function isUnder(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === '/' ? '/' : `${directory}/`);
}

/** describe returns `directory drwxr-x--- 1001:0`, as `ls -ld` would. */
export function describe(entry: Entry): string {
  const letters = { file: '-', directory: 'd', symlink: 'l', character: 'c', block: 'b', fifo: 'p' } as const;
  const bits = [0o400, 0o200, 0o100, 0o040, 0o020, 0o010, 0o004, 0o002, 0o001]
    .map((bit, i) => ((entry.mode & bit) === 0 ? '-' : ('rwx'[i % 3] ?? '-')))
    .join('');
  return `${letters[entry.type]}${bits} ${entry.uid}:${entry.gid}`;
}

/** octal returns the twelve mode bits, e.g. `1777`, `0755`. */
export const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, '0');
