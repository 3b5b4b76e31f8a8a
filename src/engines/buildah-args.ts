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
  const pairs = (option: string, record: Readonly<Record<string, string>>): string[] =>
    Object.entries(record).flatMap(([key, value]) => [option, `${key}=${value}`]);
  const each = (option: string, values: readonly string[] | undefined): string[] =>
    (values ?? []).flatMap((value) => [option, value]);
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
    ...(isolation === undefined ? [] : ['--isolation', isolation]),
    ...(loginFile === undefined ? [] : ['--authfile', loginFile]),
    // Buildah refuses the two together.
    request.noCache === true ? '--no-cache' : '--layers',
    ...(request.networkMode === undefined ? [] : ['--network', request.networkMode]),
    ...each('--ulimit', limits),
    ...each('--add-host', request.extraHosts),
    ...each('--cache-from', request.cacheFrom),
    ...each('--cache-to', request.cacheTo),
    ...pairs('--build-arg', request.buildArgs),
    ...pairs('--label', request.labels),
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
