import http, { type ClientRequest, type RequestOptions } from 'node:http';
import https from 'node:https';
import { urlToHttpOptions } from 'node:url';
import { readCertificates, type Certificates } from './certificates.ts';
import { proxiesOf } from './proxies.ts';
import type { Environment } from './types.ts';

/** Bytes that a connection buffers in each direction before it pauses: with Node's own 16 KiB it pauses at every read. */
const highWaterMark = 256 * 1024;

const settings = { keepAlive: true, maxSockets: 16, scheduling: 'lifo', highWaterMark } as const;

/**
 * Connections keeps connections to be used again, sixteen at most to each origin, and opens them through the
 * proxies of the environment.
 */
export class Connections {
  readonly #env: Environment;
  readonly #certificates = new Map<string, Promise<Certificates>>();
  #agents: { readonly http: http.Agent; readonly https: https.Agent } | undefined;

  constructor(env: Environment) {
    this.#env = env;
  }

  /**
   * open begins a request; user and password of the address are never sent. Throws `host/proxy`, and a TypeError for an
   * address that is neither http nor https.
   */
  async open(url: URL, options: RequestOptions): Promise<ClientRequest> {
    const { protocol } = url;
    if (protocol !== 'http:' && protocol !== 'https:') throw new TypeError(`${protocol} is neither http: nor https:`);
    this.#agents ??= makeAgents(this.#env);
    const given = { ...urlToHttpOptions(url), auth: null, ...options };
    if (protocol === 'http:') return http.request({ ...given, agent: this.#agents.http });
    return https.request({ ...given, ...(await this.#certificatesOf(url.host)), agent: this.#agents.https });
  }

  #certificatesOf(host: string): Promise<Certificates> {
    const found = this.#certificates.get(host) ?? readCertificates(this.#env, host);
    this.#certificates.set(host, found);
    return found;
  }
}

function makeAgents(env: Environment): { readonly http: http.Agent; readonly https: https.Agent } {
  const proxyEnv = proxiesOf(env);
  return { http: new http.Agent({ ...settings, proxyEnv }), https: new https.Agent({ ...settings, proxyEnv }) };
}
