import { Readable } from 'node:stream';
import type { Agent } from 'undici';
import { AppError } from '../errors/index.ts';
import type { FetchOptions, FetchResponse } from './types.ts';

const headersTimeout = 30_000;

/** makeFetch gives a fetch that follows no redirect itself: callers decide what crosses to another host. */
export function makeFetch(hostSignal: AbortSignal): (url: string, options?: FetchOptions) => Promise<FetchResponse> {
  let agent: Promise<Agent> | undefined;
  return async (url, options = {}) => {
    const { Agent, EnvHttpProxyAgent, request } = await import('./undici.ts');
    const proxied = process.env['HTTPS_PROXY'] ?? process.env['https_proxy'] ?? process.env['HTTP_PROXY'];
    agent ??= Promise.resolve(
      proxied === undefined
        ? new Agent({ connections: 16, keepAliveTimeout: 10_000 })
        : (new EnvHttpProxyAgent({ connections: 16 }) as unknown as Agent),
    );
    const timeout = options.timeout ?? headersTimeout;
    const signals = [hostSignal, ...(options.signal === undefined ? [] : [options.signal])];
    try {
      const response = await request(url, {
        method: (options.method ?? 'GET') as 'GET',
        headers: { 'user-agent': 'openshell-runner-images', ...options.headers },
        body: options.body ?? null,
        signal: AbortSignal.any(signals),
        headersTimeout: timeout,
        bodyTimeout: Math.max(timeout, 60_000),
        dispatcher: await agent,
      });
      return { status: response.statusCode, headers: lowerCase(response.headers), body: response.body };
    } catch (cause) {
      if (hostSignal.aborted || options.signal?.aborted === true) throw cause;
      if (options.body instanceof Readable) options.body.destroy();
      throw new AppError('host/network', 'upstream', `could not reach ${new URL(url).host}`, { cause });
    }
  };
}

function lowerCase(headers: Record<string, string | string[] | undefined>): Map<string, string> {
  const map = new Map<string, string>();
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) map.set(name.toLowerCase(), Array.isArray(value) ? value.join(', ') : value);
  }
  return map;
}
