import { option } from './options.ts';
import type { BuildRequest } from './types.ts';

export type Isolation = 'oci' | 'rootless' | 'chroot';

/**
 * buildahBuildArguments: the context comes on standard input, so no directory is ever shared. `limits` are those of
 * `fittingLimits`.
 */
export function buildahBuildArguments(
  request: BuildRequest,
  isolation: Isolation | undefined,
  loginFile?: string,
  limits: readonly string[] = [],
): string[] {
  return [
    'bud',
    '--platform',
    request.platform,
    '--format',
    'oci',
    '--force-rm',
    // A label with Buildah's version, over whatever the Dockerfile says of it.
    '--identity-label=false',
    '--tag',
    request.tag,
    '--file',
    'Dockerfile',
    ...option('--isolation', isolation),
    ...option('--authfile', loginFile),
    // Buildah refuses the two together.
    request.noCache === true ? '--no-cache' : '--layers',
    ...option('--network', request.networkMode),
    ...option('--ulimit', limits),
    ...option('--add-host', request.extraHosts),
    ...option('--cache-from', request.cacheFrom),
    ...option('--cache-to', request.cacheTo),
    ...option('--build-arg', request.buildArgs),
    ...option('--label', request.labels),
    '-',
  ];
}

/** Layers stay plain tar: the layout compresses them itself, the same way for every engine. */
export function buildahExportArguments(tag: string, file: string): string[] {
  return ['push', '--quiet', '--disable-compression', '--format', 'oci', tag, `oci-archive:${file}`];
}

/** needsChroot: an OCI runtime that cannot set up cgroups, namespaces or a network here, as inside a container. */
export function needsChroot(output: string): boolean {
  return /(?:crun|runc)\b.*(?:cgroup|operation not permitted)|cgroups?.*(?:hybrid|not mounted|read-only|permission denied)|error running container.*(?:cgroup|mount)|unshare.*not permitted|: setup network: /i.test(
    output,
  );
}
