import { AppError } from '../errors/index.ts';
import type { Session } from './buildkit/session.ts';
import type { BuildRequest } from './types.ts';

export type Flavour = 'docker' | 'podman';

/** cacheUnsupported: what an engine cannot do is said before it builds, never dropped. */
export function cacheUnsupported(engine: string, what: string): AppError {
  return new AppError('engines/cache-unsupported', 'usage', `${engine} cannot ${what}`, {
    hint: 'use --engine buildx for cache import and export',
  });
}

/**
 * dockerQuery returns the query of POST /build (Engine API 1.41). Docker builds with BuildKit
 * (`version=2`); Podman's compatible API knows only its own builder, and takes `limits` (those of `fittingLimits`).
 */
export function dockerQuery(
  flavour: Flavour,
  request: BuildRequest,
  session?: Pick<Session, 'id' | 'contextUrl'>,
  limits: readonly string[] = [],
): Record<string, string> {
  if (request.cacheTo !== undefined && request.cacheTo.length > 0)
    throw cacheUnsupported('the Docker Engine API', 'export a build cache');
  if (request.extraHosts?.some((host) => host.includes(',')) === true)
    throw new AppError('engines/extra-host', 'usage', 'an extra host holds a comma');
  const hosts = request.extraHosts ?? [];
  const cacheFrom = request.cacheFrom ?? [];
  const query = {
    dockerfile: 'Dockerfile',
    t: request.tag,
    platform: request.platform,
    rm: '1',
    forcerm: '1',
    buildargs: JSON.stringify(request.buildArgs),
    labels: JSON.stringify(request.labels),
    nocache: request.noCache === true ? '1' : undefined,
    networkmode: request.networkMode,
    extrahosts: hosts.length === 0 ? undefined : flavour === 'docker' ? hosts.join(',') : JSON.stringify(hosts),
    cachefrom: cacheFrom.length === 0 ? undefined : JSON.stringify(cacheFrom),
    version: flavour === 'docker' ? '2' : undefined,
    layers: flavour === 'docker' ? undefined : '1',
    // Docker's builder starts its steps with the limits of the daemon.
    ulimits: flavour === 'podman' && limits.length > 0 ? JSON.stringify(limits) : undefined,
    session: session?.id,
    remote: session?.contextUrl,
  };
  return Object.fromEntries(Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
