import { isLoopback } from '../core/image-ref.ts';
import { AppError } from '../errors/index.ts';
import { discard } from './body.ts';
import { redactUrl } from './redact.ts';
import { formatRepository, type Repository } from './repository.ts';
import { push } from './scope.ts';
import type { Answer, Transport } from './transport.ts';

/** Session is an upload under way: where it goes on, and how many bytes the registry has. */
export interface Session {
  readonly location: string;
  readonly offset: number;
  /** Smallest piece that the registry takes (OCI-Chunk-Min-Length), in bytes. */
  readonly minChunk: number;
}

/** sessionOf reads Location (relative or absolute, its query kept) and Range of an answer. */
export function sessionOf(wire: Transport, repo: Repository, answer: Answer, offset: number): Session {
  const header = answer.headers.get('location');
  const refuse = (found: string): AppError =>
    new AppError('registry/upload', 'upstream', `${formatRepository(repo)} gave no address to upload to`, {
      expected: 'a Location header with an https address or a path',
      found,
    });
  if (header === undefined) throw refuse('no Location');
  let url: URL;
  try {
    url = new URL(header, answer.url);
  } catch {
    throw refuse('a malformed Location');
  }
  const { origin } = wire.endpoint(repo);
  const plain = isLoopback(url.host) || wire.plainHttp.includes(url.host);
  // Behind a proxy that ends TLS, registries name themselves with http: the scheme that works is kept.
  if (url.protocol === 'http:' && url.host === new URL(origin).host) url.protocol = new URL(origin).protocol;
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && plain)) throw refuse(redactUrl(url.href));
  return { location: url.href, offset, minChunk: Number(answer.headers.get('oci-chunk-min-length') ?? '0') || 0 };
}

/** received reads `Range: 0-1023` (both inclusive): 1024 bytes are there. */
export function received(answer: Answer): number | undefined {
  const range = /^(?:bytes=)?0-(\d{1,15})$/.exec(answer.headers.get('range')?.trim() ?? '');
  if (range === null) return undefined;
  const last = Number(range[1]);
  // `0-0` is what registries say of an upload without bytes; one byte too few is sent again, never too many.
  return last === 0 ? 0 : last + 1;
}

/** withDigest appends to the query, which may hold the registry's own state. */
export function withDigest(location: string, digest: string): string {
  return `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`;
}

export type Opened = { readonly $case: 'mounted' } | { readonly $case: 'session'; readonly session: Session };

/**
 * openUpload starts an upload. With `from`, the registry may take the blob from that repository
 * instead; a registry that does not opens a session all the same, which is then used.
 */
export async function openUpload(wire: Transport, repo: Repository, digest: string, from?: string): Promise<Opened> {
  const { name } = wire.endpoint(repo);
  const mount = from === undefined ? '' : `?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(from)}`;
  const scopes = [push(name), ...(from === undefined ? [] : [{ name: from, actions: ['pull' as const] }])];
  return wire.send(
    {
      repo,
      method: 'POST',
      url: wire.url(repo, `blobs/uploads/${mount}`),
      headers: { 'content-length': '0' },
      scopes,
      expect: from === undefined ? [202] : [201, 202],
      doing: `start an upload to ${formatRepository(repo)}`,
    },
    async (answer) => {
      await discard(answer.body);
      if (answer.status === 201) return { $case: 'mounted' };
      return { $case: 'session', session: sessionOf(wire, repo, answer, 0) };
    },
  );
}

/** askSession asks how far an upload has come; undefined when the registry has forgotten it. */
export async function askSession(wire: Transport, repo: Repository, session: Session): Promise<Session | undefined> {
  return wire.send(
    {
      repo,
      method: 'GET',
      url: session.location,
      scopes: [push(wire.endpoint(repo).name)],
      // 400 and 416: docker-registry, whose signed state no longer matches what it has stored.
      expect: [200, 202, 204, 400, 404, 405, 416],
      doing: `ask how far the upload to ${formatRepository(repo)} has come`,
    },
    async (answer) => {
      await discard(answer.body);
      if (answer.status >= 300) return undefined;
      const next = answer.headers.has('location') ? sessionOf(wire, repo, answer, 0).location : session.location;
      return { location: next, offset: received(answer) ?? 0, minChunk: session.minChunk };
    },
  );
}

/** cancelSession gives up an upload; a registry that does not care forgets it by itself. */
export async function cancelSession(wire: Transport, repo: Repository, session: Session): Promise<void> {
  const scopes = [push(wire.endpoint(repo).name)];
  const call = {
    repo,
    method: 'DELETE' as const,
    url: session.location,
    scopes,
    doing: 'cancel an upload',
    attempts: 1,
  };
  await wire
    .send({ ...call, expect: [200, 202, 204, 404, 405] }, async (answer) => discard(answer.body))
    .catch(() => undefined);
}
