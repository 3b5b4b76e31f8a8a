import type { Collectors, ContentMatch, HistoryEntry, ImageConfig } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import type { LayerReader } from './layer.ts';
import { maxKept, tooMuch, type WalkLimits } from './limits.ts';
import { alive } from './nodes.ts';
import { seal } from './seal.ts';
import { Tree } from './tree.ts';
import { TreeView } from './tree-view.ts';

/** stepOf returns for each layer the history entry that made it; nothing where the two disagree. */
export function stepOf(config: ImageConfig): (HistoryEntry | undefined)[] {
  const steps = (config.history ?? []).filter((entry) => entry.empty_layer !== true);
  return steps.length === config.rootfs.diff_ids.length ? steps : [];
}

/** LayerState is how far a layer is applied, and the nodes whose content is still to come. */
export interface LayerState {
  applied: number;
  readonly awaited: Map<number, number>;
}

/** PictureBuilder applies layers, lowest first, as their readers have them ready. */
export class PictureBuilder {
  private readonly tree: Tree;
  private readonly contents = new Map<number, Buffer>();
  private readonly matches: ContentMatch[] = [];
  private readonly limits: WalkLimits;
  private contentBytes = 0;
  /** Wanted hard links, and the inode whose content they have. */
  private readonly links = new Map<number, number>();
  private readonly wantContent: Collectors['wantContent'] | undefined;

  constructor(limits: WalkLimits, wantContent: Collectors['wantContent'] | undefined) {
    this.limits = limits;
    this.wantContent = wantContent;
    this.tree = new Tree(limits);
  }

  /** Applies what a layer has ready; an entry may be applied before its content has come. */
  apply(reader: LayerReader, state: LayerState): void {
    reader.records.drain((entry) => {
      const node = this.tree.apply(entry);
      const number = state.applied++;
      if (reader.wantedEntries.has(number) && node >= 0) state.awaited.set(number, node);
      if (entry.type === 'link' && node >= 0 && this.wants(node)) this.links.set(node, this.tree.nodes.inode(node));
    });
    for (const [number, content] of reader.contents) {
      const node = state.awaited.get(number);
      if (node === undefined) continue;
      state.awaited.delete(number);
      this.contents.set(node, content);
      this.contentBytes += content.length;
      if (this.contentBytes > this.limits.contentBytes) this.prune();
    }
    reader.contents.clear();
    reader.contentBytes = 0;
  }

  private wants(node: number): boolean {
    const { nodes } = this.tree;
    const inode = nodes.inode(node);
    const facts = { type: 'file' as const, size: nodes.size(inode), mode: nodes.mode(inode) };
    return this.wantContent?.(nodes.path(node), facts) === true;
  }

  /** Content of files that are gone is dropped only when room is needed. */
  private prune(): void {
    const { diedIn } = this.tree.nodes;
    const linked = new Set([...this.links].filter(([node]) => diedIn.get(node) === alive).map(([, inode]) => inode));
    for (const [node, content] of this.contents) {
      if (diedIn.get(node) === alive || linked.has(node)) continue;
      this.contents.delete(node);
      this.contentBytes -= content.length;
    }
    if (this.contentBytes > this.limits.contentBytes) {
      throw tooMuch('files whose content is needed', this.limits.contentBytes);
    }
  }

  startLayer(layer: number): void {
    this.tree.startLayer(layer);
  }

  endLayer(reader: LayerReader, layer: number): void {
    for (const match of reader.matches) if (this.matches.length < maxKept) this.matches.push({ ...match, layer });
  }

  finish() {
    const { live, shadowed, count, bytes } = seal(this.tree.nodes, this.tree.paths.opaqueIn);
    const { nodes } = this.tree;
    const contents = new Map<string, Uint8Array>();
    for (const [node, inode] of [...[...this.contents.keys()].map((own) => [own, own] as const), ...this.links]) {
      const content = this.contents.get(inode);
      if (content !== undefined && nodes.diedIn.get(node) === alive) contents.set(nodes.path(node), content);
    }
    return {
      tree: new TreeView(nodes, live),
      shadowed,
      shadowedTotal: { count, bytes },
      contents,
      matches: this.matches,
      overLinks: this.tree.paths.overLinks,
    };
  }
}

/** Adds the layer to an error that came from its bytes. */
export function inLayer(error: unknown, index: number, step: HistoryEntry | undefined): unknown {
  if (!(error instanceof AppError)) return error;
  const made = step?.created_by === undefined ? '' : ` (${step.created_by.slice(0, 120)})`;
  const exit = error.exit === 4 ? 'machine' : error.exit === 2 ? 'usage' : 'upstream';
  return new AppError(error.code, exit, `layer ${index}${made}: ${error.message}`, error.facts);
}
