import { AppError } from '../errors/index.ts';
import type { Session } from './session.ts';
import type { BuildRequest } from './types.ts';

export type Flavour = 'docker' | 'podman';

/** cacheUnsupported: what an engine cannot do is said before it builds, never dropped. */
export function cacheUnsupported(engine: string, what: string): AppError {
  return new AppError('engines/cache-unsupported', 'usage', `${engine} cannot ${what}`, {
    hint: 'use --engine buildx for cache import and export',
  });
}

/**
 * dockerQuery gives the query of POST /build (Engine API 1.41). Docker builds with BuildKit
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
  const cacheFrom = request.cacheFrom ?? [];
  return {
    dockerfile: 'Dockerfile',
    t: request.tag,
    platform: request.platform,
    rm: '1',
    forcerm: '1',
    buildargs: JSON.stringify(request.buildArgs),
    labels: JSON.stringify(request.labels),
    ...(request.noCache === true ? { nocache: '1' } : {}),
    ...(request.networkMode === undefined ? {} : { networkmode: request.networkMode }),
    ...(request.extraHosts === undefined || request.extraHosts.length === 0
      ? {}
      : { extrahosts: flavour === 'docker' ? request.extraHosts.join(',') : JSON.stringify(request.extraHosts) }),
    ...(cacheFrom.length === 0 ? {} : { cachefrom: JSON.stringify(cacheFrom) }),
    ...(flavour === 'docker' ? { version: '2' } : { layers: '1' }),
    // Docker's builder starts its steps with the limits of the daemon.
    ...(flavour === 'podman' && limits.length > 0 ? { ulimits: JSON.stringify(limits) } : {}),
    ...(session === undefined ? {} : { session: session.id, remote: session.contextUrl }),
  };
}
