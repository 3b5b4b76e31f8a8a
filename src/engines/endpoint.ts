import { parsePlatform, type Platform } from '../core/index.ts';
import { AppError } from '../errors/index.ts';

/** Where a Docker-compatible Engine API listens. */
export type Endpoint =
  | { readonly $case: 'unix'; readonly path: string }
  | { readonly $case: 'tcp'; readonly host: string; readonly port: number }
  | { readonly $case: 'ssh'; readonly destination: string; readonly port?: number | undefined };

function malformed(text: string, why: string): AppError {
  // User info never holds a password here, but what a user typed by mistake may.
  return new AppError('engines/endpoint', 'usage', `malformed endpoint: ${why}`, {
    expected: 'unix:///path/to/docker.sock, tcp://host:port or ssh://[user@]host[:port]',
    found: JSON.stringify(text.replace(/:[^:@/]*@/, ':…@').slice(0, 200)),
  });
}

/** parseEndpoint reads what DOCKER_HOST holds. Throws `engines/endpoint`. */
export function parseEndpoint(text: string): Endpoint {
  if (text.startsWith('unix://')) {
    const path = text.slice('unix://'.length);
    if (!path.startsWith('/') || path.includes('\0')) throw malformed(text, 'the socket path is not absolute');
    return { $case: 'unix', path };
  }
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw malformed(text, 'not a URL');
  }
  if (url.hostname === '') throw malformed(text, 'no host');
  if ((url.pathname !== '' && url.pathname !== '/') || url.search !== '' || url.hash !== '')
    throw malformed(text, 'more than a host and a port');
  if (url.protocol === 'tcp:') {
    if (url.username !== '') throw malformed(text, 'a user makes no sense with tcp');
    return { $case: 'tcp', host: url.hostname, port: url.port === '' ? 2375 : Number(url.port) };
  }
  if (url.protocol !== 'ssh:') throw malformed(text, `unknown scheme ${url.protocol}`);
  if (url.password !== '') throw malformed(text, 'no password may be given; use a key or an agent');
  const name = url.username === '' ? url.hostname : `${decodeURIComponent(url.username)}@${url.hostname}`;
  // ssh would read a destination that begins with a dash as an option.
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.@:[\]-]*$/.test(name)) throw malformed(text, 'malformed user or host');
  return { $case: 'ssh', destination: name, port: url.port === '' ? undefined : Number(url.port) };
}

/** formatEndpoint returns the endpoint as `--endpoint` and DOCKER_HOST take it. */
export function formatEndpoint(endpoint: Endpoint): string {
  switch (endpoint.$case) {
    case 'unix':
      return `unix://${endpoint.path}`;
    case 'tcp':
      return `tcp://${endpoint.host}:${endpoint.port}`;
    case 'ssh':
      return `ssh://${endpoint.destination}${endpoint.port === undefined ? '' : `:${endpoint.port}`}`;
  }
}

/** parseEndpointOptions reads `--endpoint linux/arm64=ssh://host` options. Throws `engines/endpoint`. */
export function parseEndpointOptions(options: readonly string[]): ReadonlyMap<Platform, Endpoint> {
  const map = new Map<Platform, Endpoint>();
  for (const option of options) {
    const equals = option.indexOf('=');
    if (equals < 0) throw malformed(option, 'no platform before it, as in linux/arm64=ssh://host');
    const platform = parsePlatform(option.slice(0, equals));
    if (map.has(platform)) throw malformed(option, `${platform} was given twice`);
    map.set(platform, parseEndpoint(option.slice(equals + 1)));
  }
  return map;
}
