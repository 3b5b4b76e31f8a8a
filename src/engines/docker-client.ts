import { Agent } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import type Dockerode from 'dockerode';
import { AppError } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import { dialStdio } from './dial-stdio.ts';
import { formatEndpoint, type Endpoint } from './endpoint.ts';

/** DockerClient is one Engine API: dockerode for the plain calls, its modem for the streaming ones. */
export interface DockerClient {
  readonly endpoint: Endpoint;
  readonly api: Dockerode;
  /** POST /build with a tar body; the stream ends when the build does. */
  build(
    query: Readonly<Record<string, string>>,
    context: Readable,
    signal: AbortSignal,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Readable>;
  /** GET /images/NAME/get: the archive that `docker save` writes. */
  save(tag: string, signal?: AbortSignal): Promise<Readable>;
  /** An upgraded connection (`/session`, `/grpc`). */
  hijack(path: string, headers: Readonly<Record<string, string | string[]>>): Promise<Duplex>;
}

interface Dial {
  path: string;
  method: string;
  options?: object;
  file?: Readable;
  headers?: Record<string, string | string[]>;
  isStream?: boolean;
  hijack?: boolean;
  abortSignal?: AbortSignal;
  statusCodes: Record<string, true | string>;
}
type Modem = { dial(options: Dial, callback: (error: Error | null | undefined, result: unknown) => void): void };

/** TLS as the docker command does it: DOCKER_TLS_VERIFY and DOCKER_CERT_PATH; an engine may ask for no certificate. */
async function tls(
  host: Host,
  port: number,
): Promise<{ ca?: Buffer; cert?: Buffer; key?: Buffer; protocol: 'http' | 'https' }> {
  if ((host.env['DOCKER_TLS_VERIFY'] ?? '') === '' && port !== 2376) return { protocol: 'http' };
  const folder = host.env['DOCKER_CERT_PATH'] ?? `${host.env['HOME'] ?? ''}/.docker`;
  const [ca, cert, key] = await Promise.all(
    ['ca', 'cert', 'key'].map(async (name) => {
      const file = `${folder}/${name}.pem`;
      return (await host.files.stat(file)) === undefined ? undefined : host.files.read(file, 1024 * 1024);
    }),
  );
  return { protocol: 'https', ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}

async function connection(host: Host, endpoint: Endpoint): Promise<Dockerode.DockerOptions> {
  switch (endpoint.$case) {
    case 'unix':
      return { socketPath: endpoint.path };
    case 'tcp':
      return { host: endpoint.host, port: endpoint.port, ...(await tls(host, endpoint.port)) };
    case 'ssh': {
      // As the docker command does: the user's own ssh, so that known_hosts, agents and jump hosts count.
      const agent = new Agent();
      Object.assign(agent, { createConnection: () => dialStdio(host, endpoint) });
      return { host: 'ssh.invalid', port: 80, protocol: 'http', agent } as Dockerode.DockerOptions;
    }
  }
}

/** connectDocker opens nothing yet; the first call does. */
export async function connectDocker(host: Host, endpoint: Endpoint): Promise<DockerClient> {
  const { default: Docker } = await import('dockerode');
  // docker-modem mixes DOCKER_HOST and its kin into whatever is left out.
  const nothing = {
    host: undefined,
    port: undefined,
    ca: undefined,
    cert: undefined,
    key: undefined,
    protocol: 'http',
  };
  const api = new Docker({ ...nothing, ...(await connection(host, endpoint)) } as Dockerode.DockerOptions);
  const modem = api.modem as unknown as Modem;
  const dial = <T>(options: Dial): Promise<T> =>
    new Promise((resolve, reject) => {
      modem.dial(options, (error, result) => {
        if (error === null || error === undefined) resolve(result as T);
        else reject(error);
      });
    });
  return {
    endpoint,
    api,
    build: (query, context, signal, headers = {}) =>
      dial<Readable>({
        path: '/build?',
        method: 'POST',
        options: query,
        file: context,
        headers: { ...headers },
        isStream: true,
        abortSignal: signal,
        statusCodes: { 200: true, 400: 'bad request', 500: 'server error' },
      }),
    save: (tag, signal) =>
      dial<Readable>({
        path: `/images/${tag}/get`,
        method: 'GET',
        isStream: true,
        ...(signal === undefined ? {} : { abortSignal: signal }),
        statusCodes: { 200: true, 404: 'no such image', 500: 'server error' },
      }),
    hijack: (path, headers) =>
      dial<Duplex>({
        path,
        method: 'POST',
        hijack: true,
        headers: { ...headers },
        statusCodes: { 101: true, 200: true },
      }),
  };
}

const errnoOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** unreachable turns a failed first call into the error that says which command mends it. */
export function unreachable(endpoint: Endpoint, cause: unknown): AppError {
  const place = formatEndpoint(endpoint);
  const code = errnoOf(cause);
  if (code === 'EACCES' || code === 'EPERM')
    return new AppError('engines/socket-permission', 'machine', `no permission for ${place}`, {
      expected: 'a socket that this user may read and write',
      found: code,
      hint: 'sudo usermod -aG docker "$USER" and log in again, or use a daemonless engine: --engine buildah',
      cause,
    });
  const hints = {
    unix: 'start the engine (sudo systemctl start docker, or podman system service), or name it: --endpoint, DOCKER_HOST',
    tcp: 'check host and port, that its engine listens there, and for TLS: DOCKER_TLS_VERIFY=1, DOCKER_CERT_PATH',
    ssh: 'check that `ssh HOST docker version` works without a question',
  };
  return new AppError('engines/unreachable', 'machine', `no engine answers at ${place}`, {
    found: code === '' ? 'no answer' : code,
    hint: hints[endpoint.$case],
    cause,
  });
}
