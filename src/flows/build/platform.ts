import { formatBytes, type Digest, type Platform } from '../../core/index.ts';
import type { BuiltImage, Engine } from '../../engines/index.ts';
import { buildBy, type Build } from '../../evidence/index.ts';
import type { Host, ProgressTask } from '../../host/index.ts';
import {
  importArchive,
  type BaseImage,
  type BaseProof,
  type ImportedImage,
  type KnownLayers,
  type Layout,
} from '../../oci/index.ts';
import { annotationsOf } from './annotations.ts';
import { baseImage } from './base-image.ts';
import { finalInstructions, mountPoints } from './instructions.ts';
import { expiryOf, type BuildOptions } from './options.ts';
import { stepProgress } from './progress.ts';
import { requestFor } from './request.ts';

/** Workshop is what all platforms of one build share. */
export interface Workshop {
  readonly host: Host;
  readonly options: BuildOptions;
  readonly engine: Engine;
  readonly layout: Layout;
  readonly known: KnownLayers;
  /** Aborted by Ctrl-C and by the first platform that fails. */
  readonly signal: AbortSignal;
}

export interface BuiltPlatform {
  readonly platform: Platform;
  readonly digest: Digest;
  readonly layers: number;
  /** Compressed bytes of all layers. */
  readonly size: number;
  readonly base?: BaseProof | undefined;
  readonly seconds: { readonly build: number; readonly export: number };
}

export interface Made {
  readonly image: ImportedImage;
  readonly built: BuiltPlatform;
  readonly record: Build;
}

/** buildPlatform builds one platform's image and imports it into the layout. The engine keeps nothing of it. */
export async function buildPlatform(workshop: Workshop, platform: Platform): Promise<Made> {
  const { host, options, engine, signal } = workshop;
  const task = host.progress.task(`${options.plan.variant} ${platform}`);
  const since = stopwatch(host);
  try {
    const base = await baseImage(options.registry, options.plan, platform);
    const who = await engine.info(platform);
    const request = await requestFor(host, options, platform, { signal, onProgress: stepProgress(task) });
    const held = await engine.build(request);
    const build = since();
    try {
      const image = await importBuilt(workshop, held, base, task);
      const { layers } = image.manifest;
      const size = layers.reduce((sum, layer) => sum + layer.size, 0);
      task.done(`${layers.length} layers, ${formatBytes(size)}`);
      const { digest } = image.descriptor;
      const seconds = { build, export: since() };
      const built = { platform, digest, layers: layers.length, size, base: image.base, seconds };
      return { image, built, record: buildBy(who, platform, digest) };
    } finally {
      await engine.remove(held);
    }
  } catch (error) {
    task.fail(signal.aborted ? 'stopped' : 'failed');
    throw error;
  }
}

async function importBuilt(
  workshop: Workshop,
  held: BuiltImage,
  base: BaseImage,
  task: ProgressTask,
): Promise<ImportedImage> {
  const { host, options, engine, layout, known, signal } = workshop;
  const { plan } = options;
  task.step('writing the layout');
  return await importArchive(host, layout, await engine.export(held, signal), {
    platform: held.platform,
    sourceDateEpoch: plan.sourceDateEpoch,
    base,
    annotations: annotationsOf(plan, expiryOf(options)),
    labels: plan.labels,
    instructions: finalInstructions(plan.dockerfile.text),
    mountPoints: mountPoints(plan.dockerfile.text),
    known,
  });
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
