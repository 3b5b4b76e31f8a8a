import { randomBytes } from 'node:crypto';
import type { Platform } from '../../core/index.ts';
import { contextSource, type BuildRequest } from '../../engines/index.ts';
import type { Host } from '../../host/index.ts';
import { cacheOf, type BuildOptions } from './options.ts';

/** requestFor makes one platform's request, and reads its context. */
export async function requestFor(
  host: Host,
  options: BuildOptions,
  platform: Platform,
  { signal, onProgress }: Pick<BuildRequest, 'signal' | 'onProgress'>,
): Promise<BuildRequest> {
  const { plan, root, machine = {} } = options;
  const context = await contextSource(host, {
    root,
    files: plan.context,
    dockerfile: plan.dockerfile.text,
    mtime: plan.sourceDateEpoch,
    extraCa: machine.extraCa,
  });
  return {
    platform,
    dockerfile: plan.dockerfile,
    context,
    buildArgs: { ...machine.args, ...plan.buildArgs },
    labels: options.labels ?? {},
    // Unlike any other build's; Buildah keeps its cache under what stands before the random part.
    tag: `openshell-runner-images/${plan.variant}:${platform.replace('/', '-')}-${randomBytes(8).toString('hex')}`,
    signal,
    onProgress,
    networkMode: machine.networkMode,
    extraHosts: machine.extraHosts,
    ...cacheOf(options, platform),
  };
}
