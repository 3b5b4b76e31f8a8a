import type { Agent, ClientRequest, RequestOptions } from 'node:http';
import { urlToHttpOptions } from 'node:url';
import { readCertificates, type Certificates } from './certificates.ts';

/** Bytes that a connection takes or gives before it is told to wait: Node's own 16 KiB are a pause for every read. */
const highWaterMark = 256 * 1024;

const settings = { keepAlive: true, maxSockets: 16, scheduling: 'lifo', highWaterMark } as const;

type Protocol = 'http:' | 'https:';

interface Client {
  readonly request: (options: RequestOptions) => ClientRequest;
  readonly direct: Agent;
}

/** Proxies never stand between this machine and itself. */
const own = /^(?:localhost|127\.0\.0\.1|\[::1\])$/;

const proxied = ['http_proxy', 'https_proxy', 'all_proxy'].flatMap((name) => [name, name.toUpperCase()]);

async function makeClient(protocol: Protocol): Promise<Client> {
  if (protocol === 'http:') {
    const http = await import('node:http');
    return { request: http.request, direct: new http.Agent(settings) };
  }
  const https = await import('node:https');
  return { request: https.request, direct: new https.Agent(settings) };
}

/** The proxy that the environment names for this address (HTTPS_PROXY, NO_PROXY and the like), if any. */
async function proxyFor(url: URL): Promise<string> {
  if (own.test(url.hostname) || proxied.every((name) => (process.env[name] ?? '') === '')) return '';
  const { getProxyForUrl } = await import('proxy-from-env');
  return getProxyForUrl(url.href);
}

async function throughProxy(protocol: Protocol, proxy: string): Promise<Agent> {
  if (protocol === 'https:') {
    const { HttpsProxyAgent } = await import('https-proxy-agent');
    return new HttpsProxyAgent(proxy, settings);
  }
  const { HttpProxyAgent } = await import('http-proxy-agent');
  return new HttpProxyAgent(proxy, settings);
}

/**
 * Connections keeps connections to be used again, sixteen at most to each origin, and opens them through the
 * proxies of the environment. What speaks a protocol is loaded when it is first needed.
 */
export class Connections {
  readonly #clients = new Map<Protocol, Promise<Client>>();
  readonly #proxies = new Map<string, Promise<Agent>>();
  readonly #certificates = new Map<string, Promise<Certificates>>();

  /** open begins a request; user and password of the address are never sent. Throws on an address that is neither http nor https. */
  async open(url: URL, options: RequestOptions): Promise<ClientRequest> {
    const { protocol } = url;
    if (protocol !== 'http:' && protocol !== 'https:') throw new TypeError(`${protocol} is neither http: nor https:`);
    const client = this.#clients.get(protocol) ?? makeClient(protocol);
    this.#clients.set(protocol, client);
    const { request, direct } = await client;
    const proxy = await proxyFor(url);
    const agent = proxy === '' ? direct : await this.#through(protocol, proxy);
    const tls = protocol === 'https:' ? await this.#certificatesOf(url.host) : {};
    return request({ ...urlToHttpOptions(url), ...tls, auth: null, ...options, agent });
  }

  #certificatesOf(host: string): Promise<Certificates> {
    const found = this.#certificates.get(host) ?? readCertificates(process.env, host);
    this.#certificates.set(host, found);
    return found;
  }

  #through(protocol: Protocol, proxy: string): Promise<Agent> {
    const key = `${protocol} ${proxy}`;
    const agent = this.#proxies.get(key) ?? throughProxy(protocol, proxy);
    this.#proxies.set(key, agent);
    return agent;
  }
}
