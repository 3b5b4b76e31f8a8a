import type { Readable } from 'node:stream';
import {
  algorithmOf,
  type Collectors,
  type Descriptor,
  type Digest,
  type ImageConfig,
  type LayerFacts,
  type ImagePlatform,
  type Manifest,
  type Picture,
} from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import { LayerReader, readLayer, type LayerOptions } from './layer.ts';
import { defaultLimits, tooMuch, type WalkLimits } from './limits.ts';
import { compileRules } from './rules.ts';
import { inLayer, PictureBuilder, stepOf, type LayerState } from './picture-builder.ts';

export interface WalkOptions {
  /** Paths are as the layer writes them. */
  readonly collectors?: Partial<Collectors> | undefined;
  readonly limits?: Partial<WalkLimits> | undefined;
}

/** WalkImage is one platform's image, its small documents already verified. */
export interface WalkImage {
  readonly platform: ImagePlatform;
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

function checkLayers({ manifest, config }: WalkImage, limits: WalkLimits): void {
  if (manifest.layers.length > limits.layers) throw tooMuch('layers', limits.layers);
  if (config.rootfs.diff_ids.length === manifest.layers.length) return;
  throw new AppError('oci/layers', 'upstream', "the image's manifest and config disagree", {
    expected: `${manifest.layers.length} diffIDs, one for each layer of the manifest`,
    found: `${config.rootfs.diff_ids.length} in the config`,
  });
}

/**
 * walkImage reads every layer of an image once and returns its Picture. Layers are decompressed side
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
    windows: options.collectors?.windows === undefined ? undefined : options.collectors.windows,
  };
  const walk = new PictureBuilder(limits, options.collectors?.wantContent);
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
    const reader = new LayerReader(index, layerOptions, algorithmOf(diffId));
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
      walk.endLayer(reading.reader, index);
      const createdBy = steps[index]?.created_by;
      facts.push({
        digest: descriptor.digest,
        diffId: diffIds[index] ?? descriptor.digest,
        size: descriptor.size,
        uncompressedSize: reading.reader.bytes,
        entries: reading.reader.records.added,
        createdBy,
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
