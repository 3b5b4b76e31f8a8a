import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import {
  architectureOf,
  formatBytes,
  labelNames,
  type Descriptor,
  type Digest,
  type Plan,
  type Platform,
} from '../../core/index.ts';
import {
  contextSource,
  type BuildEvent,
  type BuildRequest,
  type Engine,
  type EngineInfo,
} from '../../engines/index.ts';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import {
  collectGarbage,
  createLayout,
  openKnownLayers,
  importArchive,
  writeImageIndex,
  type BaseProof,
  type ImportedImage,
  type KnownLayers,
  type Layout,
} from '../../oci/index.ts';
import type { Registry } from '../../registry/index.ts';
import { inputFormat } from '../plan-digest.ts';
import { lockLayout } from '../layout-lock.ts';
import { openEvidence, platformBuild, type PlatformBuild as BuildRecord } from '../evidence/index.ts';
import { annotationsOf } from './annotations.ts';
import { baseImage, reachImages } from './base-image.ts';
import { finalInstructions, mountPoints } from './instructions.ts';
import { stepTeller } from './progress.ts';
import { builtInRegistry, builtLayout } from './unchanged.ts';

export interface BuildOptions {
  /** Absolute path of the project. */
  readonly root: string;
  readonly plan: Plan;
  /** Absolute path of the layout. */
  readonly layout: string;
  readonly registry: Registry;
  /** Made only when something must be built: detecting an engine takes time. */
  readonly engine: () => Promise<Engine>;
  /** `host/repository` to look for an earlier build in; absent: no look. */
  readonly published?: string | undefined;
  /** Build even when the layout or the registry holds the same inputs. */
  readonly force?: boolean | undefined;
  readonly extraCa?: Uint8Array | undefined;
  readonly networkMode?: 'host' | undefined;
  readonly extraHosts?: readonly string[] | undefined;
  /** Build arguments of the machine, not of the image: proxies. */
  readonly machineArgs?: Readonly<Record<string, string>> | undefined;
  /** Labels that only this build carries, e.g. `quay.expires-after`. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** In the engine's syntax; `{arch}` stands for each platform's architecture. */
  readonly cacheFrom?: readonly string[] | undefined;
  /** Likewise: with several platforms `{arch}` must be in it. */
  readonly cacheTo?: readonly string[] | undefined;
  readonly noCache?: boolean | undefined;
}

export interface PlatformBuild {
  readonly platform: Platform;
  readonly digest: Digest;
  readonly layers: number;
  /** Compressed bytes of all layers. */
  readonly size: number;
  readonly base?: BaseProof | undefined;
  readonly seconds: { readonly build: number; readonly export: number };
}

export type BuildResult =
  | { readonly $case: 'unchanged'; readonly from: 'layout'; readonly index: Descriptor; readonly layout: string }
  | { readonly $case: 'unchanged'; readonly from: 'registry'; readonly digest: Digest; readonly reference: string }
  | { readonly $case: 'dry-run'; readonly platforms: readonly Platform[] }
  | {
      readonly $case: 'built';
      readonly index: Descriptor;
      readonly layout: string;
      readonly engine: EngineInfo;
      readonly platforms: readonly PlatformBuild[];
    };

/**
 * buildLayout brings the plan into one OCI layout holding every platform. Inputs that were built
 * already are answered from the layout or the registry without starting an engine. All platforms
 * build at once; the first failure stops the others, and nothing of the old layout is lost.
 */
export async function buildLayout(host: Host, options: BuildOptions): Promise<BuildResult> {
  const { plan, layout: directory } = options;
  refuseSharedCache(options);
  if (options.force !== true) {
    const index = await builtLayout(host, directory, plan, options.labels?.[labelNames.expires]);
    if (index !== undefined) return { $case: 'unchanged', from: 'layout', index, layout: directory };
    if (options.published !== undefined && options.labels?.[labelNames.expires] === undefined) {
      const found = await builtInRegistry(host, options.registry, options.published, plan);
      if (found !== undefined) return { $case: 'unchanged', from: 'registry', ...found };
    }
  }
  const engine = await options.engine();
  if (engine.name === 'dry-run') return await rehearse(host, options, engine);
  await reachImages(options.registry, plan);
  const lock = await lockLayout(host, directory);
  try {
    const layout = await createLayout(host, directory);
    const info = await engine.info();
    const known = await openKnownLayers(host, layout, inputFormat);
    const images = await everyPlatform(host, options, engine, layout, known);
    await lock.assertHeld();
    const index = await writeImageIndex(
      layout,
      images.map(({ image }) => image.descriptor),
      annotationsOf(plan, options.labels?.[labelNames.expires]),
    );
    await known.save();
    await collectGarbage(host, layout);
    await openEvidence(
      host,
      directory,
      plan,
      images.map(({ record }) => record),
    );
    return { $case: 'built', index, layout: directory, engine: info, platforms: images.map(({ build }) => build) };
  } finally {
    await lock.release();
  }
}

/** Every request is made and told, and its context read; nothing is asked of an upstream and nothing written. */
async function rehearse(host: Host, options: BuildOptions, engine: Engine): Promise<BuildResult> {
  const { platforms } = options.plan;
  for (const platform of platforms)
    await engine.build(await requestFor(host, options, platform, host.signal, () => undefined));
  return { $case: 'dry-run', platforms };
}

/** Platforms export their caches at the same time: into one place, the last would be the only one. */
function refuseSharedCache({ plan, cacheTo = [] }: BuildOptions): void {
  const shared = cacheTo.find((text) => !text.includes('{arch}'));
  if (shared === undefined || plan.platforms.length < 2) return;
  throw new AppError('flows/shared-cache', 'usage', 'every platform would overwrite the same cache', {
    expected: '{arch} in --cache-to, e.g. type=registry,ref=HOST/cache:{arch}',
    found: shared,
    hint: 'put {arch} into --cache-to and --cache-from, or build one platform: --platform',
  });
}

interface Made {
  readonly image: ImportedImage;
  readonly build: PlatformBuild;
  readonly record: BuildRecord;
}

async function everyPlatform(
  host: Host,
  options: BuildOptions,
  engine: Engine,
  layout: Layout,
  known: KnownLayers,
): Promise<Made[]> {
  const failed = new AbortController();
  const signal = AbortSignal.any([host.signal, failed.signal]);
  const runs = options.plan.platforms.map(async (platform) => {
    try {
      return await onePlatform(host, options, engine, layout, known, platform, signal);
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  });
  const settled = await Promise.allSettled(runs);
  // The first failure is the cause; the others only tell that they were stopped.
  if (failed.signal.aborted) throw failed.signal.reason;
  return settled.flatMap((run) => (run.status === 'fulfilled' ? [run.value] : []));
}

async function onePlatform(
  host: Host,
  options: BuildOptions,
  engine: Engine,
  layout: Layout,
  known: KnownLayers,
  platform: Platform,
  signal: AbortSignal,
): Promise<Made> {
  const { plan } = options;
  const task = host.story.task(`${plan.variant} ${platform}`);
  const since = stopwatch(host);
  try {
    const base = await baseImage(options.registry, plan, platform);
    const who = await engine.info(platform);
    const built = await engine.build(await requestFor(host, options, platform, signal, stepTeller(task)));
    const seconds = { build: since(), export: 0 };
    try {
      task.step('writing the layout');
      const archive: Readable = await engine.export(built, signal);
      const image = await importArchive(host, layout, archive, {
        platform,
        sourceDateEpoch: plan.sourceDateEpoch,
        base,
        annotations: annotationsOf(plan, options.labels?.[labelNames.expires]),
        labels: plan.labels,
        instructions: finalInstructions(plan.dockerfile.text),
        mountPoints: mountPoints(plan.dockerfile.text),
        known,
      });
      seconds.export = since();
      const { layers } = image.manifest;
      const size = layers.reduce((sum, layer) => sum + layer.size, 0);
      task.done(`${layers.length} layers, ${formatBytes(size)}`);
      const { digest } = image.descriptor;
      const proof = image.base === undefined ? {} : { base: image.base };
      const record = platformBuild(platform, digest, who);
      return { image, record, build: { platform, digest, layers: layers.length, size, ...proof, seconds } };
    } finally {
      await engine.remove(built);
    }
  } catch (error) {
    task.fail(signal.aborted ? 'stopped' : 'failed');
    throw error;
  }
}

async function requestFor(
  host: Host,
  options: BuildOptions,
  platform: Platform,
  signal: AbortSignal,
  onProgress: (event: BuildEvent) => void,
): Promise<BuildRequest> {
  const { plan, root } = options;
  const context = await contextSource(host, {
    root,
    files: plan.context,
    dockerfile: plan.dockerfile.text,
    mtime: plan.sourceDateEpoch,
    extraCa: options.extraCa,
  });
  const own = (cache: string): string => cache.replaceAll('{arch}', architectureOf(platform));
  const { networkMode, extraHosts, cacheFrom, cacheTo, noCache } = options;
  return {
    platform,
    dockerfile: plan.dockerfile,
    context,
    buildArgs: { ...options.machineArgs, ...plan.buildArgs },
    labels: options.labels ?? {},
    // Unlike any other build's; Buildah keeps its cache under what stands before the random part.
    tag: `openshell-runner-images/${plan.variant}:${platform.replace('/', '-')}-${randomBytes(8).toString('hex')}`,
    signal,
    onProgress,
    networkMode,
    extraHosts,
    cacheFrom: cacheFrom === undefined ? undefined : cacheFrom.map(own),
    cacheTo: cacheTo === undefined ? undefined : cacheTo.map(own),
    noCache,
  };
}

/** Seconds since the last call. */
function stopwatch(host: Host): () => number {
  let last = host.clock.now().getTime();
  return () => {
    const now = host.clock.now().getTime();
    const seconds = (now - last) / 1000;
    last = now;
    return seconds;
  };
}
