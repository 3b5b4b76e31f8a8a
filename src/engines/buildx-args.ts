import { option } from './options.ts';
import type { BuildRequest } from './types.ts';

/**
 * buildxArguments builds one platform into one OCI archive. Attestations are left out: they are
 * this project's own, and BuildKit's would change the index with every rebuild.
 */
export function buildxArguments(request: BuildRequest, file: string, builder?: string): string[] {
  return [
    'buildx',
    'build',
    ...option('--builder', builder),
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
    ...option('--network', request.networkMode),
    // Host networking is a privilege: BuildKit needs it allowed and asked for.
    ...option('--allow', request.networkMode === 'host' ? 'network.host' : undefined),
    ...option('--add-host', request.extraHosts),
    ...option('--cache-from', request.cacheFrom),
    ...option('--cache-to', request.cacheTo),
    ...option('--build-arg', request.buildArgs),
    ...option('--label', request.labels),
    '-',
  ];
}
