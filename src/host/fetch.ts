import { Readable } from 'node:stream';
import { AppError } from '../errors/index.ts';
import { Connections } from './connections.ts';
import { exchange } from './exchange.ts';
import type { Environment, FetchOptions, FetchResponse } from './types.ts';

const headersTimeout = 30_000;

/** makeFetch gives a fetch that follows no redirect itself: callers decide what crosses to another host. */
export function makeFetch(
  hostSignal: AbortSignal,
  env: Environment,
): (url: string, options?: FetchOptions) => Promise<FetchResponse> {
  const connections = new Connections(env);
  return async (url, options = {}) => {
    const { body, signal, timeout = headersTimeout } = options;
    const target = new URL(url);
    try {
      const request = await connections.open(target, {
        method: options.method ?? 'GET',
        headers: { 'user-agent': 'openshell-runner-images', ...options.headers },
      });
      const answer = await exchange(request, {
        body,
        signals: signal === undefined ? [hostSignal] : [hostSignal, signal],
        headersTimeout: timeout,
        bodyTimeout: Math.max(timeout, 60_000),
      });
      return { status: answer.statusCode ?? 0, headers: lowerCase(answer.headers), body: answer };
    } catch (cause) {
      if (body instanceof Readable) body.destroy();
      if (cause instanceof AppError && cause.code === 'host/proxy') throw cause;
      if (hostSignal.aborted || signal?.aborted === true) throw cause;
      throw new AppError('host/network', 'upstream', `could not reach ${target.host}`, { cause });
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
