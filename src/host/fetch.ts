import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { AppError } from '../errors/index.ts';
import { filePieces } from './file-part.ts';
import type { FetchOptions, FetchResponse } from './types.ts';

const headersTimeout = 30_000;

/** Proxies never stand between this machine and itself. */
const noProxy = ['127.0.0.1', 'localhost', '::1'];

async function makeDispatcher(): Promise<Dispatcher> {
  const proxies = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'];
  if (proxies.every((name) => (process.env[name] ?? '') === '')) {
    const { Agent } = await import('./undici.ts');
    return new Agent({ connections: 16, keepAliveTimeout: 10_000 });
  }
  const { default: undici } = await import('undici');
  const given = process.env['no_proxy'] ?? process.env['NO_PROXY'] ?? '';
  return new undici.EnvHttpProxyAgent({
    connections: 16,
    noProxy: [given, ...noProxy].filter((name) => name !== '').join(','),
  });
}

/** makeFetch gives a fetch that follows no redirect itself: callers decide what crosses to another host. */
export function makeFetch(hostSignal: AbortSignal): (url: string, options?: FetchOptions) => Promise<FetchResponse> {
  let dispatcher: Promise<Dispatcher> | undefined;
  return async (url, options = {}) => {
    dispatcher ??= makeDispatcher();
    const timeout = options.timeout ?? headersTimeout;
    const signals = [hostSignal, ...(options.signal === undefined ? [] : [options.signal])];
    const { origin, pathname, search } = new URL(url);
    try {
      const response = await (
        await dispatcher
      ).request({
        origin,
        path: `${pathname}${search}`,
        method: options.method ?? 'GET',
        headers: { 'user-agent': 'openshell-runner-images', ...options.headers },
        body: bodyOf(options.body),
        signal: AbortSignal.any(signals),
        // undici would close the connection after each HEAD, in case a server sends a body with it: then
        // every look at a tag would begin with a handshake. What such a server says next fails to parse.
        reset: false,
        headersTimeout: timeout,
        bodyTimeout: Math.max(timeout, 60_000),
      });
      // A caller that destroys the body early has said that it does not want its errors either.
      response.body.on('error', () => undefined);
      return { status: response.statusCode, headers: lowerCase(response.headers), body: response.body };
    } catch (cause) {
      if (hostSignal.aborted || options.signal?.aborted === true) throw cause;
      if (options.body instanceof Readable) options.body.destroy();
      throw new AppError('host/network', 'upstream', `could not reach ${new URL(url).host}`, { cause });
    }
  };
}

/** The client takes any iterable, which its types do not say. */
function bodyOf(body: FetchOptions['body']): Uint8Array | string | Readable | null {
  if (body === undefined) return null;
  return typeof body === 'object' && 'path' in body && 'start' in body
    ? (filePieces(body) as unknown as Readable)
    : body;
}

function lowerCase(headers: Record<string, string | string[] | undefined>): Map<string, string> {
  const map = new Map<string, string>();
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) map.set(name.toLowerCase(), Array.isArray(value) ? value.join(', ') : value);
  }
  return map;
}
