import type { Entry, EntryType } from '../../core/index.ts';
import { toBytes, toText } from '../tar/entry.ts';
import { alive, type Nodes } from './nodes.ts';

/**
 * TreeView shows the final file system as a read-only map from absolute path to entry, made on
 * demand from the columns: a map of objects would take ten times the memory. `get` takes the path
 * as it is written, without following links. The order is that of first writing, parents first.
 */
export class TreeView implements ReadonlyMap<string, Entry> {
  readonly size: number;
  private readonly nodes: Nodes;

  constructor(nodes: Nodes, size: number) {
    this.nodes = nodes;
    this.size = size;
  }

  private lookUp(path: string): number | undefined {
    if (path === '/') return 0;
    if (!path.startsWith('/')) return undefined;
    let node = 0;
    for (const part of toBytes(path).slice(1).split('/')) {
      node = this.nodes.find(node, part);
      if (node === 0 || this.nodes.diedIn.get(node) !== alive) return undefined;
    }
    return node;
  }

  private entry(node: number): Entry {
    const { nodes } = this;
    const inode = nodes.inode(node);
    const kind = nodes.kind(inode);
    return {
      // An inode is never an alias itself.
      type: kind as EntryType,
      mode: nodes.mode(inode),
      uid: nodes.uid(inode),
      gid: nodes.gid(inode),
      size: nodes.size(inode),
      link: kind === 'symlink' ? toText(nodes.link(inode)) : undefined,
      layer: nodes.writtenIn.get(node),
      capabilities: nodes.capabilities(inode) ? true : undefined,
    };
  }

  get(path: string): Entry | undefined {
    const node = this.lookUp(path);
    return node === undefined ? undefined : this.entry(node);
  }

  has(path: string): boolean {
    return this.lookUp(path) !== undefined;
  }

  private *live(): Generator<number, undefined> {
    for (let node = 0; node < this.nodes.count; node++) if (this.nodes.diedIn.get(node) === alive) yield node;
    return undefined;
  }

  *entries(): Generator<[string, Entry], undefined> {
    for (const node of this.live()) yield [this.nodes.path(node), this.entry(node)];
    return undefined;
  }

  *keys(): Generator<string, undefined> {
    for (const node of this.live()) yield this.nodes.path(node);
    return undefined;
  }

  *values(): Generator<Entry, undefined> {
    for (const node of this.live()) yield this.entry(node);
    return undefined;
  }

  [Symbol.iterator](): Generator<[string, Entry], undefined> {
    return this.entries();
  }

  forEach(callback: (value: Entry, key: string, map: ReadonlyMap<string, Entry>) => void): void {
    for (const [path, entry] of this.entries()) callback(entry, path, this);
  }
}
