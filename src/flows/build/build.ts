import type { Descriptor, Digest, Platform } from '../../core/index.ts';
import type { Engine, EngineInfo } from '../../engines/index.ts';
import { beginEvidence } from '../../evidence/index.ts';
import type { Host } from '../../host/index.ts';
import { collectGarbage, createLayout, openKnownLayers, writeImageIndex } from '../../oci/index.ts';
import { lockLayout, openBuilt } from '../built.ts';
import { inputFormat } from '../plan-digest.ts';
import { annotationsOf } from './annotations.ts';
import { reachImages } from './base-image.ts';
import { expiryOf, refuseSharedCache, type BuildOptions } from './options.ts';
import { buildPlatform, type BuiltPlatform, type Made, type Workshop } from './platform.ts';
import { requestFor } from './request.ts';
import { builtInRegistry, builtLayout } from './unchanged.ts';

type Unchanged =
  | { readonly $case: 'unchanged'; readonly from: 'layout'; readonly index: Descriptor; readonly layout: string }
  | { readonly $case: 'unchanged'; readonly from: 'registry'; readonly digest: Digest; readonly reference: string };

export type BuildResult =
  | Unchanged
  | { readonly $case: 'dry-run'; readonly platforms: readonly Platform[] }
  | {
      readonly $case: 'built';
      readonly index: Descriptor;
      readonly layout: string;
      readonly engine: EngineInfo;
      readonly platforms: readonly BuiltPlatform[];
    };

/**
 * buildLayout brings the plan into one OCI layout holding every platform. Inputs that were built
 * already are answered from the layout or the registry without starting an engine. All platforms
 * build at once; the first failure stops the others, and nothing of the old layout is lost.
 */
export async function buildLayout(host: Host, options: BuildOptions): Promise<BuildResult> {
  const { plan, layout: directory } = options;
  refuseSharedCache(options);
  const found = await earlierBuild(host, options);
  if (found !== undefined) return found;
  const engine = await options.engine();
  if (engine.name === 'dry-run') return await rehearse(host, options, engine);
  await reachImages(options.registry, plan);
  const lock = await lockLayout(host, directory);
  try {
    const layout = await createLayout(host, directory);
    const info = await engine.info();
    const known = await openKnownLayers(host, layout, inputFormat);
    const made = await everyPlatform({ host, options, engine, layout, known });
    await lock.assertHeld();
    const descriptors = made.map(({ image }) => image.descriptor);
    const index = await writeImageIndex(layout, descriptors, annotationsOf(plan, expiryOf(options)));
    await known.save();
    await collectGarbage(host, layout);
    await beginEvidence(host, await openBuilt(host, directory), plan, { builds: made.map(({ record }) => record) });
    return { $case: 'built', index, layout: directory, engine: info, platforms: made.map(({ built }) => built) };
  } finally {
    await lock.release();
  }
}

/** What expires is no release, and is looked for in the layout only. */
async function earlierBuild(host: Host, options: BuildOptions): Promise<Unchanged | undefined> {
  const { plan, layout, registry, reuse = {} } = options;
  if (reuse.never === true) return undefined;
  const expires = expiryOf(options);
  const index = await builtLayout(host, layout, plan, expires);
  if (index !== undefined) return { $case: 'unchanged', from: 'layout', index, layout };
  if (reuse.published === undefined || expires !== undefined) return undefined;
  const found = await builtInRegistry(host, registry, reuse.published, plan);
  return found === undefined ? undefined : { $case: 'unchanged', from: 'registry', ...found };
}

/** Every request is made and printed, and its context read; nothing is asked of an upstream and nothing written. */
async function rehearse(host: Host, options: BuildOptions, engine: Engine): Promise<BuildResult> {
  const { platforms } = options.plan;
  for (const platform of platforms) {
    const quiet = { signal: host.signal, onProgress: () => undefined };
    await engine.build(await requestFor(host, options, platform, quiet));
  }
  return { $case: 'dry-run', platforms };
}

async function everyPlatform(shared: Omit<Workshop, 'signal'>): Promise<readonly Made[]> {
  const failed = new AbortController();
  const workshop = { ...shared, signal: AbortSignal.any([shared.host.signal, failed.signal]) };
  const runs = shared.options.plan.platforms.map(async (platform) => {
    try {
      return await buildPlatform(workshop, platform);
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  });
  const settled = await Promise.allSettled(runs);
  // The first failure is the cause; the others only report that they were stopped.
  if (failed.signal.aborted) throw failed.signal.reason;
  return settled.flatMap((run) => (run.status === 'fulfilled' ? [run.value] : []));
}
