import type { Readable } from 'node:stream';
import type {
  Collectors,
  ContentMatch,
  Descriptor,
  Digest,
  HistoryEntry,
  ImageConfig,
  LayerFacts,
  Manifest,
  Picture,
  Platform,
} from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import { LayerReader, readLayer, type LayerOptions } from './layer.ts';
import { defaultLimits, maxKept, tooMuch, type WalkLimits } from './limits.ts';
import { compileRules } from './rules.ts';
import { alive } from './nodes.ts';
import { Tree } from './tree.ts';
import { TreeView } from './tree-view.ts';

export interface WalkOptions {
  /** Paths are as the layer writes them. */
  readonly collectors?: Partial<Collectors>;
  readonly limits?: Partial<WalkLimits>;
}

/** WalkImage is one platform's image, its small documents already verified. */
export interface WalkImage {
  readonly platform: Platform;
  readonly manifestDigest: Digest;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
  open(descriptor: Descriptor): Promise<Readable>;
}

/** Layers decompressed at once, on Node's thread pool; more would only wait for the same cores. */
const atOnce = 3;
/** A layer that is read ahead of its turn stops when it has this much in waiting, in bytes. */
const maxWaiting = 16 * 1024 * 1024;

/** A layer being read: its turn comes when all below it are applied. */
class Reading {
  readonly reader: LayerReader;
  readonly done: Promise<void>;
  private turn: (() => void) | undefined;
  private mine: Promise<void>;
  private take: (() => void) | undefined;

  constructor(reader: LayerReader, steps: () => Promise<AsyncGenerator<undefined>>) {
    this.reader = reader;
    this.mine = new Promise((resolve) => (this.turn = resolve));
    this.done = this.run(steps);
    this.done.catch(() => undefined);
  }

  private async run(steps: () => Promise<AsyncGenerator<undefined>>): Promise<void> {
    for await (const _step of await steps()) {
      if (this.take !== undefined) this.take();
      else if (this.reader.records.waiting + this.reader.contentBytes > maxWaiting) await this.mine;
    }
  }

  /** From here on entries are applied as they come. */
  begin(take: () => void): void {
    this.take = take;
    take();
    this.turn?.();
  }
}

/** stepOf gives for each layer the history entry that made it; nothing where the two disagree. */
function stepOf(config: ImageConfig): (HistoryEntry | undefined)[] {
  const steps = (config.history ?? []).filter((entry) => entry.empty_layer !== true);
  return steps.length === config.rootfs.diff_ids.length ? steps : [];
}

/** LayerState is how far a layer is applied, and the nodes whose content is still to come. */
interface LayerState {
  applied: number;
  readonly awaited: Map<number, number>;
}

class Walk {
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
      if (reader.wantedEntries.delete(number) && node >= 0) state.awaited.set(number, node);
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

  endLayer(reader: LayerReader): void {
    for (const match of reader.matches) if (this.matches.length < maxKept) this.matches.push(match);
  }

  finish() {
    const { live, shadowed, count, bytes } = this.tree.seal();
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
      overLinks: this.tree.overLinks,
    };
  }
}

function checkLayers({ manifest, config }: WalkImage, limits: WalkLimits): void {
  if (manifest.layers.length > limits.layers) throw tooMuch('layers', limits.layers);
  if (config.rootfs.diff_ids.length === manifest.layers.length) return;
  throw new AppError('oci/layers', 'upstream', "the image's manifest and config disagree", {
    expected: `${manifest.layers.length} diffIDs, one for each layer of the manifest`,
    found: `${config.rootfs.diff_ids.length} in the config`,
  });
}

/**
 * walkImage reads every layer of an image once and gives its Picture. Layers are decompressed side
 * by side and applied lowest first; memory does not depend on the image's bytes. Throws
 * `oci/digest-mismatch`, `oci/size-mismatch`, `oci/compression`, `oci/tar-…`, `oci/limit`.
 */
export async function walkImage(image: WalkImage, options: WalkOptions = {}): Promise<Picture> {
  const limits = { ...defaultLimits, ...options.limits };
  checkLayers(image, limits);
  const layerOptions: LayerOptions = {
    limits,
    wantContent: options.collectors?.wantContent,
    rules: compileRules(options.collectors?.secrets ?? []),
  };
  const walk = new Walk(limits, options.collectors?.wantContent);
  const { layers } = image.manifest;
  const diffIds = image.config.rootfs.diff_ids;
  const steps = stepOf(image.config);
  const running: Reading[] = [];
  const facts: LayerFacts[] = [];
  const open = new Set<Readable>();
  let stopped = false;
  let next = 0;
  const startOne = () => {
    const index = next++;
    const descriptor = layers[index];
    const diffId = diffIds[index];
    if (descriptor === undefined || diffId === undefined) return;
    const reader = new LayerReader(index, layerOptions);
    running.push(
      new Reading(reader, async () => {
        const source = await image.open(descriptor);
        open.add(source);
        source.once('close', () => open.delete(source));
        if (stopped) source.destroy();
        return readLayer(source, descriptor, diffId, reader);
      }),
    );
  };
  try {
    while (running.length < atOnce && next < layers.length) startOne();
    for (const [index, descriptor] of layers.entries()) {
      const reading = running.shift();
      if (reading === undefined) break;
      const state: LayerState = { applied: 0, awaited: new Map() };
      walk.startLayer(index);
      try {
        reading.begin(() => {
          walk.apply(reading.reader, state);
        });
        await reading.done;
        walk.apply(reading.reader, state);
      } catch (error) {
        throw inLayer(error, index, steps[index]);
      }
      walk.endLayer(reading.reader);
      const createdBy = steps[index]?.created_by;
      facts.push({
        digest: descriptor.digest,
        diffId: diffIds[index] ?? descriptor.digest,
        size: descriptor.size,
        uncompressedSize: reading.reader.bytes,
        entries: reading.reader.records.added,
        ...(createdBy === undefined ? {} : { createdBy }),
      });
      startOne();
    }
  } finally {
    stopped = true;
    for (const source of open) source.destroy();
  }
  const { platform, manifestDigest, manifest, config } = image;
  return { platform, manifestDigest, manifest, config, layers: facts, ...walk.finish() };
}

/** Adds the layer to an error that came from its bytes. */
function inLayer(error: unknown, index: number, step: HistoryEntry | undefined): unknown {
  if (!(error instanceof AppError)) return error;
  const made = step?.created_by === undefined ? '' : ` (${step.created_by.slice(0, 120)})`;
  const exit = error.exit === 4 ? 'machine' : error.exit === 2 ? 'usage' : 'upstream';
  return new AppError(error.code, exit, `layer ${index}${made}: ${error.message}`, error.facts);
}
