import { createHash, type Hash } from 'node:crypto';
import type { Readable } from 'node:stream';
import {
  type Collectors,
  type ContentMatch,
  type Descriptor,
  type Digest,
  type DigestAlgorithm,
} from '../../core/index.ts';
import { plainBytes } from '../decompress.ts';
import { compressionOf } from '../layer-types.ts';
import { toText, type TarEntry } from '../tar/entry.ts';
import { TarReader } from '../tar/reader.ts';
import { digestMismatch } from '../verify.ts';
import { refuseDisputed, refuseDisputedGlobal } from './disputed.ts';
import { checkLayerBytes, maxKept, tooMuch, type WalkLimits } from './limits.ts';
import { Records } from './records.ts';
import type { CompiledRules } from './rules.ts';
import { Scanner } from './scanner.ts';
import { WindowFinder } from './window.ts';

export interface LayerOptions {
  readonly wantContent: Collectors['wantContent'] | undefined;
  readonly rules: CompiledRules | undefined;
  readonly windows?: Collectors['windows'] | undefined;
  readonly limits: WalkLimits;
}

const absolute = (name: string): string => `/${toText(name).replace(/^(?:\.?\/)+/, '')}`;

/**
 * LayerReader takes a layer's uncompressed bytes and leaves behind its entries as records, the
 * contents that were asked for by the entry's number, and what the scanner found.
 */
export class LayerReader {
  readonly records = new Records();
  /** Numbers of the entries whose content comes, or has come. */
  readonly wantedEntries = new Set<number>();
  readonly contents = new Map<number, Buffer>();
  readonly matches: ContentMatch[] = [];
  contentBytes = 0;
  private readonly hash: Hash;
  private readonly algorithm: DigestAlgorithm;
  private readonly tar: TarReader;
  private readonly options: LayerOptions;
  private wanted: Buffer | undefined;
  private filled = 0;
  private content = 0;
  private compressedSize = 0;
  private window: WindowFinder | undefined;

  constructor(layer: number, options: LayerOptions, algorithm: DigestAlgorithm = 'sha256') {
    this.options = options;
    this.algorithm = algorithm;
    this.hash = createHash(algorithm);
    const scanner =
      options.rules === undefined
        ? undefined
        : new Scanner(options.rules, (match) => {
            if (this.matches.length < maxKept) this.matches.push({ ...match, layer });
          });
    this.tar = new TarReader({
      expandSparse: true,
      global: refuseDisputedGlobal,
      entry: (entry) => {
        refuseDisputed(entry);
        this.records.add(entry);
        this.filled = 0;
        this.wanted = entry.type === 'file' ? this.want(entry) : undefined;
        this.window = entry.type === 'file' && this.wanted === undefined ? this.look(entry) : undefined;
        if (entry.size > 0) scanner?.start(absolute(entry.name), entry.size);
      },
      data: (chunk) => {
        this.content += chunk.length;
        // Holes of sparse files come without bytes of the layer.
        if (this.content > this.tar.bytes) checkLayerBytes(this.content, this.compressedSize, options.limits);
        if (this.wanted !== undefined) this.filled += chunk.copy(this.wanted, this.filled);
        this.window?.data(chunk);
        scanner?.data(chunk);
      },
      end: () => {
        if (this.wanted !== undefined) this.contents.set(this.records.added - 1, this.wanted);
        this.wanted = undefined;
        const found = this.window?.found;
        if (found !== undefined) this.keep(found);
        this.window = undefined;
      },
    });
  }

  private want(entry: TarEntry): Buffer | undefined {
    const facts = { type: 'file' as const, size: entry.size, mode: entry.mode };
    if (this.options.wantContent?.(absolute(entry.name), facts) !== true) return undefined;
    const { contentBytes } = this.options.limits;
    this.contentBytes += entry.size;
    if (this.contentBytes > contentBytes) throw tooMuch('files whose content is needed', contentBytes);
    this.wantedEntries.add(this.records.added - 1);
    // The size is only what the header says: an allocation must not believe more than the limit.
    return Buffer.alloc(entry.size);
  }

  private look(entry: TarEntry): WindowFinder | undefined {
    const { windows } = this.options;
    const facts = { type: 'file' as const, size: entry.size, mode: entry.mode };
    if (windows?.wants(absolute(entry.name), facts) !== true) return undefined;
    // Said now, since the entry may be applied before its window is found; most never have one.
    this.wantedEntries.add(this.records.added - 1);
    return new WindowFinder(windows, entry.size);
  }

  private keep(window: Buffer): void {
    const { contentBytes } = this.options.limits;
    this.contentBytes += window.length;
    if (this.contentBytes > contentBytes) throw tooMuch('files whose content is needed', contentBytes);
    this.contents.set(this.records.added - 1, window);
  }

  /** Uncompressed bytes so far. */
  get bytes(): number {
    return this.tar.bytes;
  }

  write(chunk: Buffer, compressedSize: number): void {
    this.compressedSize = compressedSize;
    this.hash.update(chunk);
    this.tar.write(chunk);
    checkLayerBytes(this.tar.bytes, compressedSize, this.options.limits);
  }

  finish(): Digest {
    this.tar.finish();
    return `${this.algorithm}:${this.hash.digest('hex')}` as Digest;
  }
}

/** readLayer reads one layer's blob through: digest, size and diffID are verified on the way. */
export async function* readLayer(
  source: Readable,
  descriptor: Descriptor,
  diffId: Digest,
  reader: LayerReader,
): AsyncGenerator<undefined> {
  for await (const chunk of plainBytes(source, compressionOf(descriptor), descriptor)) {
    reader.write(chunk, descriptor.size);
    yield;
  }
  const found = reader.finish();
  if (found !== diffId) throw digestMismatch(`the content of layer ${descriptor.digest}`, diffId, found);
}
