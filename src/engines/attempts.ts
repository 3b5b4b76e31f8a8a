import type { Platform } from '../core/index.ts';
import { AppError } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import { buildahEngine } from './buildah.ts';
import { buildxEngine } from './buildx.ts';
import { dockerCandidates } from './docker-endpoints.ts';
import { dockerEngine } from './docker.ts';
import { formatEndpoint, type Endpoint } from './endpoint.ts';
import { engineNames, type Credentials, type Engine, type EngineName } from './types.ts';

export interface DetectOptions {
  /** `--engine`: docker, buildx, buildah or dry-run; detected when absent. */
  readonly engine?: string | undefined;
  /** `--endpoint`, parsed by `parseEndpointOptions`. */
  readonly endpoints?: ReadonlyMap<Platform, Endpoint> | undefined;
  /** `--builder`, for buildx. */
  readonly builder?: string | undefined;
  readonly credentials?: Credentials | undefined;
  /** What will be built; an engine that cannot run all of it is passed over. */
  readonly platforms?: readonly Platform[] | undefined;
}

/** parseEngineName throws `engines/name`. */
export function parseEngineName(text: string): EngineName {
  const found = engineNames.find((name) => name === text);
  if (found !== undefined) return found;
  throw new AppError('engines/name', 'usage', 'unknown engine', {
    expected: engineNames.join(', '),
    found: JSON.stringify(text),
  });
}

/** One engine that might do, by name, in the order of preference. */
export interface Attempt {
  readonly label: string;
  readonly engine: Engine;
  /** The user pointed at it: its failure is the answer. */
  readonly chosen: boolean;
}

/** attempts returns every engine that might do, without having asked any of them. */
export async function attempts(host: Host, name: EngineName | undefined, options: DetectOptions): Promise<Attempt[]> {
  const wanted = (candidate: EngineName): boolean => name === undefined || name === candidate;
  const found: Attempt[] = [];
  const { credentials, builder } = options;
  if (wanted('docker'))
    for (const { endpoint, chosen } of await dockerCandidates(host))
      found.push({
        label: `docker (${formatEndpoint(endpoint)}${chosen === undefined ? '' : `, from ${chosen}`})`,
        engine: dockerEngine(host, { endpoint, credentials }),
        // A builder that was asked for by name is not to be overruled by a DOCKER_HOST.
        chosen: chosen !== undefined,
      });
  if (wanted('buildx'))
    found.push({
      label: 'buildx',
      engine: buildxEngine(host, { builder }),
      chosen: false,
    });
  if (wanted('buildah')) found.push({ label: 'buildah', engine: buildahEngine(host, { credentials }), chosen: false });
  return found;
}
