import type { BuildRequest } from './types.ts';

/**
 * buildxArguments builds one platform into one OCI archive. Attestations are left out: they are
 * this project's own, and BuildKit's would change the index with every rebuild.
 */
export function buildxArguments(request: BuildRequest, file: string, builder?: string): string[] {
  const pairs = (option: string, record: Readonly<Record<string, string>>): string[] =>
    Object.entries(record).flatMap(([key, value]) => [option, `${key}=${value}`]);
  const each = (option: string, values: readonly string[] | undefined): string[] =>
    (values ?? []).flatMap((value) => [option, value]);
  return [
    'buildx',
    'build',
    ...(builder === undefined ? [] : ['--builder', builder]),
    '--platform',
    request.platform,
    '--progress',
    'plain',
    '--provenance=false',
    '--sbom=false',
    '--output',
    `type=oci,dest=${file}`,
    '--file',
    'Dockerfile',
    ...(request.noCache === true ? ['--no-cache'] : []),
    ...(request.networkMode === undefined ? [] : ['--network', request.networkMode]),
    // Host networking is a privilege that BuildKit wants to hear of twice.
    ...(request.networkMode === 'host' ? ['--allow', 'network.host'] : []),
    ...each('--add-host', request.extraHosts),
    ...each('--cache-from', request.cacheFrom),
    ...each('--cache-to', request.cacheTo),
    ...pairs('--build-arg', request.buildArgs),
    ...pairs('--label', request.labels),
    '-',
  ];
}
