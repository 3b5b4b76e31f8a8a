import type { Environment } from './types.ts';
import { AppError } from '../errors/index.ts';

/** Proxies never stand between this machine and itself. */
const loopback = ['localhost', '127.0.0.1', '::1'];

/** excludedFrom returns the hosts that are asked directly, as NO_PROXY lists them: this machine and the environment's. */
export function excludedFrom(env: Environment): string {
  const named = (env['no_proxy'] || env['NO_PROXY'] || '').split(/[,\s]+/);
  return [...new Set([...loopback, ...named])].filter((entry) => entry !== '').join(',');
}

/**
 * proxiesOf returns the environment's proxies as `proxyEnv` of Node's agents takes them. What curl takes and Node does
 * not: ALL_PROXY stands for a protocol without a proxy of its own, an address may lack its scheme, NO_PROXY may use spaces.
 * Throws `host/proxy` for an address that is none.
 */
export function proxiesOf(env: Environment): Record<'http_proxy' | 'https_proxy' | 'no_proxy', string> {
  return {
    http_proxy: proxy(env, 'HTTP_PROXY'),
    https_proxy: proxy(env, 'HTTPS_PROXY'),
    no_proxy: excludedFrom(env),
  };
}

function proxy(env: Environment, own: string): string {
  const name = [own.toLowerCase(), own, 'all_proxy', 'ALL_PROXY'].find((candidate) => (env[candidate] ?? '') !== '');
  const value = name === undefined ? '' : (env[name] ?? '');
  if (value === '') return '';
  const address = value.includes('://') ? value : `http://${value}`;
  // Node ignores what it cannot use, and names a bad address in full: its password, too.
  if (URL.canParse(address) && /^https?:/i.test(address)) return address;
  throw new AppError('host/proxy', 'usage', `${name} of the environment names no proxy that can be used`, {
    expected: 'http://host:port or https://user:password@host:port',
    hint: 'in a user name or password write # as %23, and the like; SOCKS proxies are not supported',
  });
}
