import { AppError } from '../../errors/index.ts';
import { tarError, toText } from '../tar/entry.ts';
import { disputed } from './disputed.ts';
import { maxName, maxPath, split, splitTarget, type LayerEntry } from './layer-entry.ts';
import { maxHiddenDirectories, maxKept, tooMuch, type WalkLimits } from './limits.ts';
import { Nodes } from './nodes.ts';

/** As many links as Linux follows in one path. */
const maxHops = 40;
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
  readonly overLinks: { path: string; link: string; layer: number }[] = [];
  /** Directories whose lower content a layer hid. */
  readonly opaqueIn = new Map<number, number>();
  layer = 0;
  /** Directories that a whiteout of this layer hid, by the node of their parent and their name. */
  private readonly hidden = new Set<string>();
  private cachedDirectory = '';
  private cachedNode = -1;

  constructor(limits: WalkLimits) {
    this.nodes = new Nodes(limits);
  }

  startLayer(layer: number): void {
    this.layer = layer;
    this.hidden.clear();
    this.cachedNode = -1;
  }

  /** Applies one entry and gives the node it became; -1 where it became none. */
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
    const parent = this.directory(parts, true, entry.name);
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
    this.nodes.writtenIn.set(0, this.layer);
    return 0;
  }

  private id(value: number): number {
    if (value >= 0 && value < 2 ** 32) return value;
    throw tarError('number', 'a user or group number out of range', String(value));
  }

  /** A child that is still there for this layer; what an opaque directory hides is removed on the way. */
  private child(parent: number, name: string, floor: number): number {
    const { nodes } = this;
    const node = nodes.find(parent, name, 0, name.length);
    if (node === 0 || floor === 0) return node;
    if (Math.max(nodes.writtenIn.get(node), nodes.touchedIn.get(node)) >= floor) return node;
    nodes.kill(node, floor);
    return 0;
  }

  /** The newest layer that made a directory on the way opaque; what is older than it is hidden. */
  private floorOf(node: number): number {
    if (this.opaqueIn.size === 0) return 0;
    let floor = this.opaqueIn.get(0) ?? 0;
    for (let at = node; at !== 0; at = this.nodes.parent.get(at)) floor = Math.max(floor, this.opaqueIn.get(at) ?? 0);
    return floor;
  }

  /** Links followed so far, by all walks. */
  private hops = 0;

  /** Walks to a directory, following links inside the root; -1 where there is none. */
  private directory(parts: readonly string[], create: boolean, name: string): number {
    const { nodes } = this;
    const rest = [...parts].reverse();
    let at = 0;
    let hops = 0;
    let added = 0;
    let floor = this.floorOf(0);
    /** The floors of the directories above, outermost first. */
    const above: number[] = [];
    while (rest.length > 0) {
      const part = rest.pop() ?? '';
      if (part === '..') {
        at = nodes.parent.get(at);
        floor = above.pop() ?? floor;
        continue;
      }
      let node = this.child(at, part, floor);
      if (node === 0) {
        if (!create) return -1;
        node = nodes.add(at, part, 0, part.length, this.layer);
        nodes.setFacts(node, 'directory', 0o755, 0, 0, false);
      }
      const inode = nodes.inode(node);
      const kind = nodes.kind(inode);
      if (kind === 'symlink') {
        this.hops++;
        if (++hops > maxHops) throw tarError('link-loop', 'a loop of symlinks on the way to a path', name);
        const link = nodes.link(inode);
        if (create) this.overLink(name, link);
        // All links of the way together: forty of them, each this long, would cost 4 ms for every entry.
        added += link.length;
        if (added > maxPath) throw tarError('path', 'a path too long through symlinks', name);
        const target = link.split('/').filter((piece) => piece !== '' && piece !== '.');
        rest.push(...target.reverse());
        if (link.startsWith('/')) {
          at = 0;
          floor = this.floorOf(0);
          above.length = 0;
        }
      } else if (kind === 'directory') {
        at = node;
        above.push(floor);
        floor = Math.max(floor, this.opaqueIn.get(at) ?? 0);
        if (create) nodes.touchedIn.set(at, this.layer);
      } else {
        return -1;
      }
    }
    return at;
  }

  private overLink(path: string, link: string): void {
    if (this.overLinks.length === maxKept) return;
    this.overLinks.push({ path: `/${split(toText(path)).join('/')}`, link: toText(link), layer: this.layer });
  }

  private hide(parts: readonly string[], last: string, entry: LayerEntry): void {
    this.cachedNode = -1;
    // Docker and containerd skip other `.wh..wh.` names: the records of a storage driver long gone.
    if (last !== opaque && last.startsWith('.wh..wh.')) return;
    const name = last === opaque ? '' : last.slice(whiteout.length);
    if (last !== opaque && (name === '' || name === '.' || name === '..')) {
      throw tarError('whiteout', 'a whiteout that names no file', entry.name);
    }
    const { hops } = this;
    const at = this.directory(parts, false, entry.name);
    if (this.hops > hops) throw disputed('throughLink', entry.name);
    if (last !== opaque) {
      if (at >= 0) this.whiteOut(at, name, entry);
    } else if (at >= 0) {
      this.opaqueIn.set(at, this.layer);
    } else if (this.isFree(parts)) {
      this.directory(parts, true, entry.name);
    }
  }

  /** What an opaque marker may make a directory of: nothing there, nor hidden by this very layer. */
  private isFree(parts: readonly string[]): boolean {
    let at = 0;
    for (const [index, part] of parts.entries()) {
      if (this.hidden.has(`${at}/${part}`)) return false;
      const node = this.child(at, part, this.floorOf(at));
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
    const node = this.child(parent, name, this.floorOf(parent));
    if (node === 0) return;
    const isDirectory = nodes.kind(node) === 'directory';
    if (nodes.writtenIn.get(node) === this.layer || (isDirectory && nodes.touchedIn.get(node) === this.layer)) {
      throw disputed('afterItsEntry', entry.name);
    }
    if (isDirectory) {
      if (this.hidden.size === maxHiddenDirectories)
        throw tooMuch('directories hidden in one layer', maxHiddenDirectories);
      this.hidden.add(`${parent}/${name}`);
    }
    nodes.kill(node, this.layer);
  }

  private place(parent: number, name: string, entry: LayerEntry): number {
    const { nodes } = this;
    const inode = entry.type === 'link' ? this.target(entry) : -1;
    const existing = this.child(parent, name, this.floorOf(parent));
    if (existing !== 0) {
      if (existing === inode) throw tarError('link', 'a hard link to itself', entry.name);
      if (entry.type === 'directory' && nodes.kind(existing) === 'directory') {
        this.describe(existing, entry);
        return existing;
      }
      const old = nodes.inode(existing);
      if (nodes.kind(old) === 'symlink' && entry.type !== 'symlink') this.overLink(entry.name, nodes.link(old));
      if (nodes.kind(old) === 'directory') this.cachedNode = -1;
      nodes.kill(existing, this.layer);
    }
    if (entry.type === 'directory' && this.hidden.size > 0 && this.hidden.has(`${parent}/${name}`)) {
      throw disputed('inItsPlace', entry.name);
    }
    const node = nodes.add(parent, name, 0, name.length, this.layer);
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
    nodes.writtenIn.set(node, this.layer);
    nodes.touchedIn.set(node, this.layer);
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
    const parent = this.directory(parts, false, entry.name);
    const node = parent < 0 || last === '' ? 0 : this.child(parent, last, this.floorOf(parent));
    const kind = node === 0 ? undefined : nodes.kind(node);
    if (kind !== undefined && kind !== 'directory') return nodes.inode(node);
    throw new AppError('oci/tar-link', 'upstream', 'a hard link that leads to nothing', {
      found: `${toText(entry.name.slice(0, 300))} -> ${toText(entry.link.slice(0, 300))}`,
    });
  }
}
