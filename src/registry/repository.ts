import type { Mirrors } from '../core/plan.ts';
import { isLoopback } from '../core/image-ref.ts';
import { AppError } from '../errors/index.ts';

/** A repository of one registry; every ImageRef is one. */
export interface Repository {
  /** `host` or `host:port`. */
  readonly registry: string;
  readonly repository: string;
}

/** Where the API of a repository answers. */
export interface Endpoint {
  /** `https://host[:port]`, no slash at the end. */
  readonly origin: string;
  /** The name as the API knows it. */
  readonly name: string;
}

/**
 * endpointOf returns the API's address. Plain http is spoken with loopback, but for a registry that has certificates
 * (certs.d), and with a host that the caller names; nothing is ever tried over http because https failed.
 */
export function endpointOf(repo: Repository, plainHttp: readonly string[] = [], certified = false): Endpoint {
  const plain = plainHttp.includes(repo.registry) || (isLoopback(repo.registry) && !certified);
  const scheme = plain ? 'http' : 'https';
  if (repo.registry !== 'docker.io' && repo.registry !== 'index.docker.io')
    return { origin: `${scheme}://${repo.registry}`, name: repo.repository };
  const name = repo.repository.includes('/') ? repo.repository : `library/${repo.repository}`;
  return { origin: 'https://registry-1.docker.io', name };
}

/** mirrored rewrites where a repository is read from; the longest matching key wins. */
export function mirrored<T extends Repository>(ref: T, mirrors: Mirrors['images'] = {}): T {
  const full = `${ref.registry}/${ref.repository}`;
  const key = Object.keys(mirrors)
    .map((text) => text.replace(/\/+$/, ''))
    .filter((text) => full === text || full.startsWith(`${text}/`))
    .sort((a, b) => b.length - a.length)[0];
  const target = key === undefined ? undefined : (mirrors[key] ?? mirrors[`${key}/`]);
  if (key === undefined || target === undefined) return ref;
  const rewritten = `${target.replace(/\/+$/, '')}${full.slice(key.length)}`;
  const slash = rewritten.indexOf('/');
  if (slash < 1)
    throw new AppError('registry/mirror', 'usage', `the mirror of ${key} names no repository`, {
      expected: 'host/repository',
      found: JSON.stringify(target),
    });
  return { ...ref, registry: rewritten.slice(0, slash), repository: rewritten.slice(slash + 1) };
}

/** formatRepository returns `host/repository`. */
export function formatRepository(repo: Repository): string {
  return `${repo.registry}/${repo.repository}`;
}
