import { finished, Readable } from 'node:stream';
import { deadlines } from '../core/deadlines.ts';
import { AppError } from '../errors/index.ts';
import type { Awaited } from './awaited.ts';
import { Connections } from './connections.ts';
import { exchange } from './exchange.ts';
import type { Environment, FetchOptions, FetchResponse } from './types.ts';

/** makeFetch returns a fetch that follows no redirect itself: callers decide what crosses to another host. */
export function makeFetch(
  hostSignal: AbortSignal,
  env: Environment,
  awaited: Awaited,
): (url: string, options?: FetchOptions) => Promise<FetchResponse> {
  const connections = new Connections(env);
  return async (url, options = {}) => {
    const { body, signal, timeout = deadlines.headers, total = deadlines.transfer } = options;
    const target = new URL(url);
    const over = awaited.begin(`${options.method ?? 'GET'} ${target.protocol}//${target.host}${target.pathname}`);
    try {
      const request = await connections.open(target, {
        method: options.method ?? 'GET',
        headers: { 'user-agent': 'openshell-runner-images', ...options.headers },
      });
      const answer = await exchange(request, {
        body,
        signals: signal === undefined ? [hostSignal] : [hostSignal, signal],
        headersTimeout: timeout,
        stretch: Math.max(2 * timeout, deadlines.stretch),
        pace: deadlines.pace,
        total,
      });
      finished(answer, over);
      return { status: answer.statusCode ?? 0, headers: lowerCase(answer.headers), body: answer };
    } catch (cause) {
      over();
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
