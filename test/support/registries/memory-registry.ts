import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { digestOf } from '../../../src/core/index.ts';
import { MemoryAuth, type AuthOptions } from './memory-auth.ts';
import { fail, readAll, sendRange } from './memory-http.ts';
import { MemoryStore } from './memory-store.ts';
import { answerUpload } from './memory-uploads.ts';

/** Looks at a request before the registry does; true when it has answered (or cut) it. */
export type Fault = (request: IncomingMessage, response: ServerResponse, path: string) => boolean | Promise<boolean>;

export interface MemoryRegistryOptions {
  /** `api`: the referrers API of distribution spec 1.1; `quay`: with Quay's ways; `none`: an older registry. */
  readonly referrers?: 'api' | 'quay' | 'none';
  readonly auth?: AuthOptions;
  readonly fault?: Fault;
  /** Milliseconds; tokens and caches age by it. */
  readonly now?: () => number;
  /** Entries per page of tags and referrers. */
  readonly pageSize?: number;
  /** Response headers that this registry forgets, in lower case. */
  readonly omit?: readonly string[];
  /** Sends readers of blobs elsewhere. */
  readonly blobsAt?: (digest: string) => string;
}

export interface MemoryRegistry {
  /** `127.0.0.1:port`. */
  readonly host: string;
  readonly store: MemoryStore;
  readonly auth: MemoryAuth | undefined;
  /** `METHOD path` of every request, in order; queries left out. */
  readonly log: string[];
  /** Every request with its headers. */
  readonly requests: { readonly method: string; readonly url: string; readonly headers: IncomingMessage['headers'] }[];
  close(): Promise<void>;
}

const indexType = 'application/vnd.oci.image.index.v1+json';
/** How long Quay's list of referrers may be old. */
const staleness = 60_000;

class Server {
  readonly store = new MemoryStore();
  readonly log: string[] = [];
  readonly requests: MemoryRegistry['requests'] = [];
  readonly auth: MemoryAuth | undefined;
  origin = '';
  readonly #options: MemoryRegistryOptions;
  readonly #now: () => number;
  /** Quay answers from a cache: what it knew when it was first asked. */
  readonly #cached = new Map<string, { readonly at: number; readonly list: unknown[] }>();

  constructor(options: MemoryRegistryOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.auth = options.auth === undefined ? undefined : new MemoryAuth(options.auth, this.#now);
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.origin);
    const method = request.method ?? 'GET';
    this.log.push(`${method} ${url.pathname}`);
    this.requests.push({ method, url: request.url ?? '', headers: request.headers });
    const { omit } = this.#options;
    if (omit !== undefined) {
      const writeHead = response.writeHead.bind(response);
      response.writeHead = ((status: number, headers: Record<string, string> = {}) =>
        writeHead(
          status,
          Object.fromEntries(Object.entries(headers).filter(([name]) => !omit.includes(name.toLowerCase()))),
        )) as typeof response.writeHead;
    }
    if ((await this.#options.fault?.(request, response, url.pathname)) === true) return;
    if (url.pathname === '/token' && this.auth !== undefined) return this.auth.token(request, response, url);
    const [, name, kind = '', rest = ''] =
      /^\/v2\/(.+)\/(blobs|manifests|tags|referrers)\/(.*)$/.exec(url.pathname) ?? [];
    if (name === undefined) {
      fail(response, url.pathname === '/v2/' ? 200 : 404, 'NAME_UNKNOWN');
      return;
    }
    if (this.auth?.allows(request, response, this.origin, this.#needs(method, name, url)) === false) {
      request.resume();
      return;
    }
    if (kind === 'tags') {
      this.#tags(request, response, name, url);
      return;
    }
    if (kind === 'manifests') return this.#manifests(request, response, method, name, rest);
    if (kind === 'referrers') {
      this.#referrers(response, name, rest, url);
      return;
    }
    if (rest.startsWith('uploads/'))
      return answerUpload(this.store, request, response, name, rest.slice('uploads/'.length), url);
    this.#blobs(request, response, method, name, rest);
  }

  #needs(method: string, name: string, url: URL): [string, string][] {
    const action =
      method === 'GET' || method === 'HEAD'
        ? 'pull'
        : method === 'DELETE' && !url.pathname.includes('/uploads/')
          ? 'delete'
          : 'push';
    const upload = url.pathname.includes('/blobs/uploads/');
    const from = url.searchParams.get('from');
    return [[name, upload ? 'push' : action], ...(from === null ? [] : [[from, 'pull'] as [string, string]])];
  }

  #tags(request: IncomingMessage, response: ServerResponse, name: string, url: URL): void {
    const repository = this.store.repositories.get(name);
    if (repository === undefined) {
      fail(response, 404, 'NAME_UNKNOWN');
      return;
    }
    const all = [...repository.tags.keys()].sort();
    const last = url.searchParams.get('last');
    const start = last === null ? 0 : all.findIndex((tag) => tag > last);
    const size = this.#options.pageSize ?? Number(url.searchParams.get('n') ?? all.length);
    const page = start < 0 ? [] : all.slice(start, start + size);
    const more = start >= 0 && start + size < all.length;
    const link = `</v2/${name}/tags/list?n=${size}&last=${encodeURIComponent(page.at(-1) ?? '')}>; rel="next"`;
    const body = JSON.stringify({ name, tags: page });
    const etag = `"${digestOf(`${body}${more ? link : ''}`)}"`;
    if (request.headers['if-none-match'] === etag) {
      response.writeHead(304, { etag }).end();
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json', etag, ...(more ? { link } : {}) });
    response.end(body);
  }

  async #manifests(
    request: IncomingMessage,
    response: ServerResponse,
    method: string,
    name: string,
    reference: string,
  ): Promise<void> {
    if (method === 'PUT') {
      const mediaType = request.headers['content-type'] ?? '';
      const result = this.store.putManifest(name, reference, { bytes: await readAll(request), mediaType });
      if ('error' in result) {
        fail(response, 400, result.error);
        return;
      }
      const { digest = '' } = this.store.find(name, reference) ?? {};
      const subject =
        this.#options.referrers === 'api' && result.subject !== null ? { 'oci-subject': result.subject } : {};
      response.writeHead(201, {
        location: `/v2/${name}/manifests/${digest}`,
        'docker-content-digest': digest,
        ...subject,
      });
      response.end();
      return;
    }
    const found = this.store.find(name, reference);
    if (found === undefined) {
      fail(response, 404, 'MANIFEST_UNKNOWN');
      return;
    }
    if (method === 'DELETE') {
      const { tags, manifests } = this.store.repository(name);
      if (reference.startsWith('sha256:')) {
        manifests.delete(reference);
        for (const [tag, digest] of tags) if (digest === reference) tags.delete(tag);
      } else tags.delete(reference);
      response.writeHead(202).end();
      return;
    }
    const etag = `"${found.digest}"`;
    if (request.headers['if-none-match'] === etag) {
      response.writeHead(304, { etag }).end();
      return;
    }
    const { bytes, mediaType } = found.manifest;
    response.writeHead(200, {
      'content-type': mediaType,
      'content-length': String(bytes.length),
      'docker-content-digest': found.digest,
      etag,
    });
    response.end(method === 'HEAD' ? undefined : bytes);
  }

  #referrers(response: ServerResponse, name: string, digest: string, url: URL): void {
    const kind = this.#options.referrers ?? 'api';
    if (kind === 'none') {
      fail(response, 404, 'NOT_FOUND');
      return;
    }
    if (kind === 'quay' && !this.store.repository(name).manifests.has(digest)) {
      fail(response, 400, 'INVALID_REQUEST');
      return;
    }
    let list: unknown[] = this.store.referrers(name, digest);
    if (kind === 'quay') {
      const key = `${name}@${digest}`;
      const cached = this.#cached.get(key);
      if (cached !== undefined && this.#now() - cached.at < staleness) ({ list } = cached);
      else this.#cached.set(key, { at: this.#now(), list });
    }
    const start = Number(url.searchParams.get('start') ?? '0');
    const size = this.#options.pageSize ?? list.length;
    const next =
      start + size < list.length ? { link: `</v2/${name}/referrers/${digest}?start=${start + size}>; rel="next"` } : {};
    response.writeHead(200, { 'content-type': indexType, ...next });
    response.end(
      JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: list.slice(start, start + size) }),
    );
  }

  #blobs(request: IncomingMessage, response: ServerResponse, method: string, name: string, digest: string): void {
    const bytes = this.store.repositories.get(name)?.blobs.get(digest);
    if (bytes === undefined) {
      fail(response, 404, 'BLOB_UNKNOWN');
      return;
    }
    const { blobsAt } = this.#options;
    if (blobsAt !== undefined && method === 'GET') {
      response.writeHead(307, { location: blobsAt(digest) }).end();
      return;
    }
    sendRange(request, response, bytes, method === 'HEAD', { 'docker-content-digest': digest });
  }
}

/** startMemoryRegistry serves an empty registry on a free loopback port. */
export async function startMemoryRegistry(options: MemoryRegistryOptions = {}): Promise<MemoryRegistry> {
  const server = new Server(options);
  const http = createServer((request, response) => {
    server.answer(request, response).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined);
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(http.address() as AddressInfo).port}`;
  server.origin = `http://${host}`;
  return {
    host,
    store: server.store,
    auth: server.auth,
    log: server.log,
    requests: server.requests,
    close: () =>
      new Promise((resolve) => {
        http.close(() => {
          resolve();
        });
        http.closeAllConnections();
      }),
  };
}
