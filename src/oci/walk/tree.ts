import { AppError } from '../../errors/index.ts';
import { tarError, toText } from '../tar/entry.ts';
import { disputed } from './disputed.ts';
import { maxName, maxPath, split, splitTarget, type LayerEntry } from './layer-entry.ts';
import { maxHiddenDirectories, tooMuch, type WalkLimits } from './limits.ts';
import type { Nodes } from './nodes.ts';
import { Paths } from './paths.ts';

const whiteout = '.wh.';
const opaque = '.wh..wh..opq';
const aufsLinks = '.wh..wh.plnk';

/**
 * Tree applies layers, lowest first, as the image spec says (layer.md, "Applying Changesets"):
 * whiteouts and opaque directories hide what lower layers hold, never what their own layer does.
 * A symlink on the way to a path is followed inside the root, as it is when an engine unpacks, and
 * reported. An entry that engines unpack to different trees is refused.
 */
export class Tree {
  readonly nodes: Nodes;
  readonly paths: Paths;
  /** Directories that a whiteout of this layer hid, by the node of their parent and their name. */
  private readonly hidden = new Set<string>();
  private cachedDirectory = '';
  private cachedNode = -1;

  constructor(limits: WalkLimits) {
    this.paths = new Paths(limits);
    this.nodes = this.paths.nodes;
  }

  startLayer(layer: number): void {
    this.paths.layer = layer;
    this.hidden.clear();
    this.cachedNode = -1;
  }

  /** Applies one entry and returns the node it became; -1 where it became none. */
  apply(entry: LayerEntry): number {
    const slash = entry.name.lastIndexOf('/', entry.name.length - 2);
    const end = entry.name.endsWith('/') ? entry.name.length - 1 : entry.name.length;
    const simple = slash > 0 && this.cachedNode >= 0 && this.isCached(entry.name, slash);
    const base = entry.name.slice(slash + 1, end);
    if (
      simple &&
      base !== '' &&
      base !== '.' &&
      base !== '..' &&
      base.length <= maxName &&
      !base.startsWith(whiteout)
    ) {
      if (entry.name.length > maxPath || base.includes('\0')) split(entry.name);
      return this.place(this.cachedNode, base, entry);
    }
    const parts = split(entry.name);
    const last = parts.pop();
    if (last === undefined) return this.root(entry);
    const below = parts.find((part) => part.startsWith(whiteout));
    if (below === aufsLinks) throw disputed('belowPlnk', entry.name);
    if (below !== undefined) throw tarError('whiteout', 'a path below a whiteout', entry.name);
    if (last.startsWith(whiteout)) {
      this.hide(parts, last, entry);
      return -1;
    }
    const parent = this.paths.directory(parts, true, entry.name);
    if (parent < 0) throw tarError('path', 'a path below something that is no directory', entry.name);
    this.cachedDirectory = slash > 0 ? entry.name.slice(0, slash) : '';
    this.cachedNode = slash > 0 ? parent : -1;
    return this.place(parent, last, entry);
  }

  /** Entries come directory by directory; whatever may move a directory empties the cache. */
  private isCached(name: string, slash: number): boolean {
    return slash === this.cachedDirectory.length && name.startsWith(this.cachedDirectory);
  }

  private root(entry: LayerEntry): number {
    if (entry.type !== 'directory') throw tarError('path', 'an entry for the root that is no directory', entry.name);
    this.nodes.setFacts(0, 'directory', entry.mode, this.id(entry.uid), this.id(entry.gid), entry.capabilities);
    this.nodes.writtenIn.set(0, this.paths.layer);
    return 0;
  }

  private id(value: number): number {
    if (value >= 0 && value < 2 ** 32) return value;
    throw tarError('number', 'a user or group number out of range', String(value));
  }

  private hide(parts: readonly string[], last: string, entry: LayerEntry): void {
    this.cachedNode = -1;
    // Docker and containerd skip other `.wh..wh.` names: the records of a storage driver long gone.
    if (last !== opaque && last.startsWith('.wh..wh.')) return;
    const name = last === opaque ? '' : last.slice(whiteout.length);
    if (last !== opaque && (name === '' || name === '.' || name === '..')) {
      throw tarError('whiteout', 'a whiteout that names no file', entry.name);
    }
    const { hops } = this.paths;
    const at = this.paths.directory(parts, false, entry.name);
    if (this.paths.hops > hops) throw disputed('throughLink', entry.name);
    if (last !== opaque) {
      if (at >= 0) this.whiteOut(at, name, entry);
    } else if (at >= 0) {
      this.paths.opaqueIn.set(at, this.paths.layer);
    } else if (this.isFree(parts)) {
      this.paths.directory(parts, true, entry.name);
    }
  }

  /** What an opaque marker may make a directory of: nothing there, nor hidden by this very layer. */
  private isFree(parts: readonly string[]): boolean {
    let at = 0;
    for (const [index, part] of parts.entries()) {
      if (this.hidden.has(`${at}/${part}`)) return false;
      const node = this.paths.find(at, part);
      if (node === 0) return true;
      if (this.nodes.kind(node) !== 'directory') {
        throw tarError(
          'whiteout',
          'an opaque marker in something that is no directory',
          parts.slice(0, index + 1).join('/'),
        );
      }
      at = node;
    }
    return true;
  }

  private whiteOut(parent: number, name: string, entry: LayerEntry): void {
    const { nodes } = this;
    const node = this.paths.find(parent, name);
    if (node === 0) return;
    const isDirectory = nodes.kind(node) === 'directory';
    if (
      nodes.writtenIn.get(node) === this.paths.layer ||
      (isDirectory && nodes.touchedIn.get(node) === this.paths.layer)
    ) {
      throw disputed('afterItsEntry', entry.name);
    }
    if (isDirectory) {
      if (this.hidden.size === maxHiddenDirectories)
        throw tooMuch('directories hidden in one layer', maxHiddenDirectories);
      this.hidden.add(`${parent}/${name}`);
    }
    nodes.kill(node, this.paths.layer);
  }

  private place(parent: number, name: string, entry: LayerEntry): number {
    const { nodes } = this;
    const inode = entry.type === 'link' ? this.target(entry) : -1;
    const existing = this.paths.find(parent, name);
    if (existing !== 0) {
      if (existing === inode) throw tarError('link', 'a hard link to itself', entry.name);
      if (entry.type === 'directory' && nodes.kind(existing) === 'directory') {
        this.describe(existing, entry);
        return existing;
      }
      const old = nodes.inode(existing);
      if (nodes.kind(old) === 'symlink' && entry.type !== 'symlink') this.paths.overLink(entry.name, nodes.link(old));
      if (nodes.kind(old) === 'directory') this.cachedNode = -1;
      nodes.kill(existing, this.paths.layer);
    }
    if (entry.type === 'directory' && this.hidden.size > 0 && this.hidden.has(`${parent}/${name}`)) {
      throw disputed('inItsPlace', entry.name);
    }
    const node = nodes.add(parent, name, this.paths.layer);
    if (inode < 0) {
      this.describe(node, entry);
      return node;
    }
    nodes.setFacts(node, 'alias', 0, 0, 0, false);
    nodes.setInode(node, inode);
    // Engines apply the link's own owner and mode, and both names share them.
    const kind = nodes.kind(inode);
    if (kind !== 'symlink') {
      if (((nodes.mode(inode) ^ entry.mode) & 0o7000) !== 0) throw disputed('linkBits', entry.name);
      nodes.setFacts(inode, kind, entry.mode, this.id(entry.uid), this.id(entry.gid), nodes.capabilities(inode));
    }
    return node;
  }

  private describe(node: number, entry: LayerEntry): void {
    const { nodes } = this;
    const kind = entry.type === 'link' ? 'file' : entry.type;
    nodes.setFacts(node, kind, entry.mode, this.id(entry.uid), this.id(entry.gid), entry.capabilities);
    nodes.writtenIn.set(node, this.paths.layer);
    nodes.touchedIn.set(node, this.paths.layer);
    if (kind === 'symlink') {
      if (entry.link === '' || entry.link.length > maxPath || entry.link.includes('\0')) {
        throw tarError('link', 'a symlink whose target cannot be', entry.name);
      }
      nodes.setLink(node, entry.link);
    } else {
      nodes.setSize(node, kind === 'file' ? entry.size : 0);
    }
  }

  private target(entry: LayerEntry): number {
    const { nodes } = this;
    const parts = splitTarget(entry.link);
    const last = parts.pop() ?? '';
    const parent = this.paths.directory(parts, false, entry.name);
    const node = parent < 0 || last === '' ? 0 : this.paths.find(parent, last);
    const kind = node === 0 ? undefined : nodes.kind(node);
    if (kind !== undefined && kind !== 'directory') return nodes.inode(node);
    throw new AppError('oci/tar-link', 'upstream', 'a hard link that leads to nothing', {
      found: `${toText(entry.name.slice(0, 300))} -> ${toText(entry.link.slice(0, 300))}`,
    });
  }
}
