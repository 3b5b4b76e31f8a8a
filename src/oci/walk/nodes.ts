import { randomBytes } from 'node:crypto';
import type { EntryType } from '../../core/index.ts';
import { tooMuch, type WalkLimits } from './limits.ts';
import { Bytes, Column } from './columns.ts';

/** Types as numbers; an alias is a hard link, whose target holds the inode's facts. */
export const kinds = ['file', 'directory', 'symlink', 'character', 'block', 'fifo', 'alias'] as const;
export type Kind = EntryType | 'alias';
export const alive = 0xffff;
const maxOwners = 0xffff;

const seed = randomBytes(4).readUInt32LE(0);

/** The seed is fresh in each process: names chosen to collide in one do not collide in the next. */
function hash(parent: number, text: string): number {
  let value = Math.imul(parent ^ seed, 0x9e3779b1);
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x5bd1e995);
    value ^= value >>> 15;
  }
  return value >>> 0;
}

/**
 * Nodes is every path that any layer wrote, about 50 bytes each with its name, in columns. Node 0
 * is the root. A node is never reused: what was overwritten stays, marked with the layer that hid it.
 */
export class Nodes {
  count = 1;
  readonly parent = new Column(32);
  /** Number of the owner: images have few, and two bytes are less than eight. */
  private readonly owner = new Column(16);
  private readonly owners: { readonly uid: number; readonly gid: number }[] = [];
  private readonly ownerNumbers = new Map<string, number>();
  private lastOwner = 0;
  /** The layer that wrote it last. */
  readonly writtenIn = new Column(16);
  /** The layer that last wrote something below a directory. */
  readonly touchedIn = new Column(16);
  /** The layer that hid it, or `alive`. */
  readonly diedIn = new Column(16);
  private readonly nameAt = new Column(32);
  private readonly nameLength = new Column(8);
  /** Kind in 3 bits, mode in 12, `security.capability` in one. */
  private readonly kindMode = new Column(16);
  /** Size; where the target of a symlink lies; the node an alias stands for. */
  private readonly low = new Column(32);
  private readonly high = new Column(16);
  private readonly next = new Column(32);
  private buckets = new Uint32Array(1 << 12);
  private readonly names = new Bytes();
  private readonly links = new Bytes();
  private readonly limits: WalkLimits;

  constructor(limits: WalkLimits) {
    this.limits = limits;
    this.setFacts(0, 'directory', 0o755, 0, 0, false);
    this.diedIn.set(0, alive);
  }

  name(node: number): string {
    return this.names.get(this.nameAt.get(node), this.nameLength.get(node));
  }

  kind(node: number): Kind {
    return kinds[this.kindMode.get(node) & 7] ?? 'file';
  }

  mode(node: number): number {
    return (this.kindMode.get(node) >>> 3) & 0o7777;
  }

  capabilities(node: number): boolean {
    return this.kindMode.get(node) >>> 15 === 1;
  }

  setFacts(node: number, kind: Kind, mode: number, uid: number, gid: number, capabilities: boolean): void {
    this.kindMode.set(node, kinds.indexOf(kind) | ((mode & 0o7777) << 3) | (capabilities ? 0x8000 : 0));
    const last = this.owners[this.lastOwner];
    if (last?.uid !== uid || last.gid !== gid) this.lastOwner = this.ownerNumber(uid, gid);
    this.owner.set(node, this.lastOwner);
  }

  private ownerNumber(uid: number, gid: number): number {
    const key = `${uid}:${gid}`;
    const known = this.ownerNumbers.get(key);
    if (known !== undefined) return known;
    if (this.owners.length === maxOwners) throw tooMuch('different owners', maxOwners);
    this.ownerNumbers.set(key, this.owners.length);
    return this.owners.push({ uid, gid }) - 1;
  }

  uid(node: number): number {
    return this.owners[this.owner.get(node)]?.uid ?? 0;
  }

  gid(node: number): number {
    return this.owners[this.owner.get(node)]?.gid ?? 0;
  }

  size(node: number): number {
    return this.kind(node) === 'file' ? this.high.get(node) * 2 ** 32 + this.low.get(node) : 0;
  }

  setSize(node: number, size: number): void {
    this.low.set(node, size % 2 ** 32);
    this.high.set(node, Math.floor(size / 2 ** 32));
  }

  link(node: number): string {
    return this.links.get(this.low.get(node), this.high.get(node));
  }

  setLink(node: number, link: string): void {
    this.low.set(node, this.links.add(link));
    this.high.set(node, link.length);
    this.checkNames();
  }

  /** The node that holds the facts: itself, or for a hard link the first name of its inode. */
  inode(node: number): number {
    return this.kind(node) === 'alias' ? this.low.get(node) : node;
  }

  setInode(node: number, inode: number): void {
    this.low.set(node, inode);
  }

  find(parent: number, name: string): number {
    let node = this.buckets[hash(parent, name) & (this.buckets.length - 1)] ?? 0;
    while (node !== 0) {
      const same = this.parent.get(node) === parent && this.nameLength.get(node) === name.length;
      if (same && this.names.equals(this.nameAt.get(node), name)) return node;
      node = this.next.get(node);
    }
    return 0;
  }

  add(parent: number, name: string, layer: number): number {
    const node = this.count++;
    if (node > this.limits.entries) throw tooMuch('entries', this.limits.entries);
    if (node > this.buckets.length) this.grow();
    this.parent.set(node, parent);
    this.nameAt.set(node, this.names.add(name));
    this.nameLength.set(node, name.length);
    this.checkNames();
    this.writtenIn.set(node, layer);
    this.touchedIn.set(node, layer);
    this.diedIn.set(node, alive);
    this.insert(node, hash(parent, name));
    return node;
  }

  private checkNames(): void {
    if (this.names.size + this.links.size > this.limits.nameBytes) throw tooMuch('path names', this.limits.nameBytes);
  }

  private insert(node: number, value: number): void {
    const bucket = value & (this.buckets.length - 1);
    this.next.set(node, this.buckets[bucket] ?? 0);
    this.buckets[bucket] = node;
  }

  private grow(): void {
    this.buckets = new Uint32Array(this.buckets.length * 2);
    for (let node = 1; node < this.count - 1; node++) {
      if (this.diedIn.get(node) !== alive) continue;
      this.insert(node, hash(this.parent.get(node), this.name(node)));
    }
  }

  /** Hides a node, and with it whatever lies below; it can no longer be found. */
  kill(node: number, layer: number): void {
    const bucket = hash(this.parent.get(node), this.name(node)) & (this.buckets.length - 1);
    let before = 0;
    for (let at = this.buckets[bucket] ?? 0; at !== 0 && at !== node; at = this.next.get(at)) before = at;
    if (before === 0) this.buckets[bucket] = this.next.get(node);
    else this.next.set(before, this.next.get(node));
    this.diedIn.set(node, layer);
  }

  path(node: number): string {
    const parts: string[] = [];
    for (let at = node; at !== 0; at = this.parent.get(at)) parts.push(this.name(at));
    return Buffer.from(`/${parts.reverse().join('/')}`, 'latin1').toString('utf8');
  }
}
