import { tarError, toText } from '../tar/entry.ts';
import { maxPath, split } from './layer-entry.ts';
import { maxKept, type WalkLimits } from './limits.ts';
import { Nodes } from './nodes.ts';

/** As many links as Linux follows in one path. */
const maxHops = 40;

/**
 * Paths finds nodes by their path as a layer in the making sees them: without what this or a lower layer hid, symlinks
 * followed inside the root.
 */
export class Paths {
  readonly nodes: Nodes;
  readonly overLinks: { path: string; link: string; layer: number }[] = [];
  /** Directories whose lower content a layer hid. */
  readonly opaqueIn = new Map<number, number>();
  layer = 0;
  /** Links followed so far, by all walks. */
  hops = 0;

  constructor(limits: WalkLimits) {
    this.nodes = new Nodes(limits);
  }

  /** A child that is still there for this layer, or 0; what an opaque directory hides is removed on the way. */
  find(parent: number, name: string): number {
    return this.child(parent, name, this.floorOf(parent));
  }

  private child(parent: number, name: string, floor: number): number {
    const { nodes } = this;
    const node = nodes.find(parent, name);
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

  /** Walks to a directory, following links inside the root; -1 where there is none. */
  directory(parts: readonly string[], create: boolean, name: string): number {
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
        node = nodes.add(at, part, this.layer);
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

  overLink(path: string, link: string): void {
    if (this.overLinks.length === maxKept) return;
    this.overLinks.push({ path: `/${split(toText(path)).join('/')}`, link: toText(link), layer: this.layer });
  }
}
