import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { digestOf } from '../../../src/core/index.ts';

export interface UpstreamRelease {
  tag: string;
  published?: string | null;
  prerelease?: boolean;
  draft?: boolean;
  /** Name → bytes. */
  assets: Record<string, string>;
  /** What the API states as digests: `right` by default; null before GitHub computed them. */
  digests?: 'right' | 'none' | Record<string, string>;
}

/** Answers before the server does; true when it has. */
export type Misbehaviour = (request: IncomingMessage, response: ServerResponse) => boolean;

/** GitHub is the parts of GitHub that a bump asks: releases API, downloads, raw files. */
export interface GitHub {
  readonly origin: string;
  /** `owner/name` → releases, newest first. */
  readonly releases: Map<string, UpstreamRelease[]>;
  /** Path → content, for raw.githubusercontent.com. */
  readonly raw: Map<string, string>;
  /** Digest → Sigstore bundles about it. */
  readonly attestations: Map<string, unknown[]>;
  readonly log: string[];
  readonly requests: IncomingMessage[];
  misbehave: Misbehaviour;
  readonly urls: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

function releaseJson(repository: string, release: UpstreamRelease): unknown {
  const { digests = 'right' } = release;
  const stated = (name: string, bytes: string): string | null =>
    digests === 'none' ? null : digests === 'right' ? digestOf(bytes) : (digests[name] ?? null);
  return {
    tag_name: release.tag,
    draft: release.draft ?? false,
    prerelease: release.prerelease ?? false,
    published_at: release.published === undefined ? '2025-01-01T00:00:00Z' : release.published,
    html_url: `https://github.com/${repository}/releases/tag/${release.tag}`,
    assets: Object.entries(release.assets).map(([name, bytes]) => ({
      name,
      size: bytes.length,
      digest: stated(name, bytes),
      browser_download_url: `https://github.com/${repository}/releases/download/${release.tag}/${name}`,
    })),
  };
}

/** As GitHub does: every document has an entity tag, and an unchanged one comes without its body. */
function send(request: IncomingMessage, response: ServerResponse, type: string, body: string): void {
  const etag = `W/"${digestOf(body).slice(7, 39)}"`;
  if (request.headers['if-none-match'] === etag) response.writeHead(304, { etag }).end();
  else response.writeHead(200, { 'content-type': type, etag }).end(body);
}

function answer(github: GitHub, request: IncomingMessage, path: string, response: ServerResponse): void {
  const json = (value: unknown): void => {
    if (value === undefined)
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"message":"Not Found"}');
    else send(request, response, 'application/json', JSON.stringify(value));
  };
  const [, subject] = /^\/api\/repos\/[^/]+\/[^/]+\/attestations\/(sha256:[0-9a-f]{64})$/.exec(path) ?? [];
  if (subject !== undefined) {
    const bundles = github.attestations.get(subject);
    json(bundles === undefined ? undefined : { attestations: bundles.map((bundle) => ({ bundle })) });
    return;
  }
  const [, list, tag] = /^\/api\/repos\/([^/]+\/[^/]+)\/releases(?:\/tags\/([^/]+))?$/.exec(path) ?? [];
  if (list !== undefined) {
    const releases = github.releases.get(list);
    if (tag === undefined) {
      json(releases?.map((release) => releaseJson(list, release)));
      return;
    }
    const one = releases?.find((release) => release.tag === decodeURIComponent(tag));
    json(one === undefined ? undefined : releaseJson(list, one));
    return;
  }
  const [, repository = '', under, name = ''] =
    /^\/web\/([^/]+\/[^/]+)\/releases\/download\/([^/]+)\/([^/]+)$/.exec(path) ?? [];
  const bytes =
    github.releases.get(repository)?.find((release) => release.tag === under)?.assets[name] ??
    github.raw.get(path.replace(/^\/raw\//, ''));
  if (bytes === undefined) response.writeHead(404).end('Not Found');
  else send(request, response, 'application/octet-stream', bytes);
}

export async function startGitHub(): Promise<GitHub> {
  const http = createServer((request, response) => {
    github.requests.push(request);
    const { pathname } = new URL(request.url ?? '/', 'http://x');
    github.log.push(`${request.method ?? ''} ${pathname}`);
    if (!github.misbehave(request, response)) answer(github, request, pathname, response);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const github: GitHub = {
    origin,
    releases: new Map(),
    raw: new Map(),
    attestations: new Map(),
    log: [],
    requests: [],
    misbehave: () => false,
    urls: {
      'https://api.github.com/': `${origin}/api/`,
      'https://github.com/': `${origin}/web/`,
      'https://raw.githubusercontent.com/': `${origin}/raw/`,
    },
    close: () =>
      new Promise((resolve) => {
        http.close(() => {
          resolve();
        });
        http.closeAllConnections();
      }),
  };
  return github;
}
