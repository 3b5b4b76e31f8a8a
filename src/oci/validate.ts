import { createHash } from 'node:crypto';
import { join } from 'node:path';
import {
  isIndexType,
  isManifestType,
  maxManifestBytes,
  mediaTypes,
  parseImageConfig,
  parseIndex,
  parseManifest,
  type Descriptor,
  type Manifest,
} from '../core/index.ts';
import { AppError } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import { plainBytes } from './decompress.ts';
import { compressionOf } from './layer-types.ts';
import { blobsOf, openLayout, type Layout } from './layout/index.ts';

/** LayoutProblem is one way in which a layout is not what it says. */
export interface LayoutProblem {
  readonly problem: string;
  /** The descriptors that led there, from index.json on. */
  readonly at: string;
}

class Validator {
  readonly problems: LayoutProblem[] = [];
  readonly seen = new Set<string>();
  private readonly layout: Layout;

  constructor(layout: Layout) {
    this.layout = layout;
  }

  private report(problem: string, at: string): void {
    this.problems.push({ problem, at });
  }

  /** Runs a step whose AppErrors are findings; anything else is a failure of ours. */
  private async attempt<T>(at: string, step: () => Promise<T>): Promise<T | undefined> {
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const { expected, found } = error.facts;
      this.report(
        [error.message, expected && `expected ${expected}`, found && `found ${found}`].filter(Boolean).join('; '),
        at,
      );
      return undefined;
    }
  }

  async visit(descriptor: Descriptor, path: string): Promise<void> {
    const at = `${path} ${descriptor.digest}`;
    if (this.seen.has(descriptor.digest)) return;
    this.seen.add(descriptor.digest);
    if (isIndexType(descriptor.mediaType)) {
      const index = await this.attempt(at, async () => parseIndex(await this.layout.read(descriptor)));
      if (index?.mediaType !== undefined && index.mediaType !== descriptor.mediaType) {
        this.report(`media type ${index.mediaType} inside, ${descriptor.mediaType} in its descriptor`, at);
      }
      for (const child of index?.manifests ?? []) await this.visit(child, at);
    } else if (isManifestType(descriptor.mediaType)) {
      const manifest = await this.attempt(at, async () => parseManifest(await this.layout.read(descriptor)));
      if (manifest !== undefined) await this.manifest(manifest, descriptor, at);
    } else {
      this.report(`media type ${descriptor.mediaType} where an index or a manifest should be`, at);
    }
  }

  private async manifest(manifest: Manifest, descriptor: Descriptor, at: string): Promise<void> {
    if (manifest.mediaType !== undefined && manifest.mediaType !== descriptor.mediaType) {
      this.report(`media type ${manifest.mediaType} inside, ${descriptor.mediaType} in its descriptor`, at);
    }
    this.seen.add(manifest.config.digest);
    const types: string[] = [mediaTypes.config, mediaTypes.dockerConfig];
    if (!types.includes(manifest.config.mediaType)) {
      await this.artifact(manifest, at);
      return;
    }
    const config = await this.attempt(at, async () =>
      parseImageConfig(await this.layout.read(manifest.config, maxManifestBytes)),
    );
    if (config === undefined) return;
    const { platform } = descriptor;
    if (platform !== undefined && (platform.os !== config.os || platform.architecture !== config.architecture)) {
      this.report(
        `the index says ${platform.os}/${platform.architecture}, the config ${config.os}/${config.architecture}`,
        at,
      );
    }
    const { diff_ids: diffIds } = config.rootfs;
    if (diffIds.length !== manifest.layers.length) {
      this.report(`${manifest.layers.length} layers but ${diffIds.length} diffIDs`, at);
    }
    const steps = config.history?.filter((entry) => entry.empty_layer !== true).length;
    if (steps !== undefined && steps > 0 && steps !== diffIds.length) {
      this.report(`history tells of ${steps} layers, rootfs of ${diffIds.length}`, at);
    }
    for (const [index, layer] of manifest.layers.entries())
      await this.layer(layer, diffIds[index], `${at} layer ${index}`);
  }

  /** Attestations and other artifacts: their blobs are only held against size and digest. */
  private async artifact(manifest: Manifest, at: string): Promise<void> {
    for (const blob of [manifest.config, ...manifest.layers]) {
      this.seen.add(blob.digest);
      await this.attempt(at, async () => {
        for await (const _chunk of await this.layout.open(blob));
      });
    }
  }

  private async layer(layer: Descriptor, diffId: string | undefined, at: string): Promise<void> {
    this.seen.add(layer.digest);
    const compression = await this.attempt(at, async () => compressionOf(layer));
    if (compression === undefined) return;
    const hash = createHash('sha256');
    const found = await this.attempt(at, async () => {
      for await (const chunk of plainBytes(await this.layout.open(layer), compression, layer)) hash.update(chunk);
      return `sha256:${hash.digest('hex')}`;
    });
    if (found !== undefined && diffId !== undefined && found !== diffId) {
      this.report(`the content has the diffID ${found}, the config says ${diffId}`, at);
    }
  }
}

/**
 * validateLayout reads every byte of a layout and reports everything wrong with it: a descriptor
 * without a blob, size, digest, diffID, media type, platform, history; a blob nothing leads to.
 * Throws only `oci/not-a-layout`.
 */
export async function validateLayout(host: Host, directory: string): Promise<LayoutProblem[]> {
  const layout = await openLayout(host, directory);
  const validator = new Validator(layout);
  const index = await layout.index();
  if (index === undefined) return [{ problem: 'no index.json', at: directory }];
  for (const descriptor of index.manifests) await validator.visit(descriptor, 'index.json');
  for (const name of await host.files.list(blobsOf(layout))) {
    if (!validator.seen.has(`sha256:${name}`)) {
      validator.problems.push({
        problem: 'a blob that nothing leads to',
        at: join(blobsOf(layout), name),
      });
    }
  }
  return validator.problems;
}
