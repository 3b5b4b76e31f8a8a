import { Agent } from 'node:http';
import type { DockerOptions } from 'dockerode';
import { AppError } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import { dialStdio } from './dial-stdio.ts';
import type { DockerClient } from './docker-client.ts';
import { formatEndpoint, type Endpoint } from './endpoint.ts';

/** TLS as the docker command does it: DOCKER_TLS_VERIFY and DOCKER_CERT_PATH; an engine may ask for no certificate. */
async function tls(host: Host, port: number): Promise<DockerOptions> {
  if ((host.env['DOCKER_TLS_VERIFY'] ?? '') === '' && port !== 2376) return { protocol: 'http' };
  const folder = host.env['DOCKER_CERT_PATH'] ?? `${host.env['HOME'] ?? ''}/.docker`;
  const [ca, cert, key] = await Promise.all(
    ['ca', 'cert', 'key'].map(async (name) => {
      const file = `${folder}/${name}.pem`;
      return (await host.files.stat(file)) === undefined ? undefined : host.files.read(file, 1024 * 1024);
    }),
  );
  return { protocol: 'https', ca, cert, key };
}

/** docker-modem takes an agent, which its types leave out. */
type Options = DockerOptions & { readonly agent?: Agent | undefined };

async function connection(host: Host, endpoint: Endpoint): Promise<Options> {
  switch (endpoint.$case) {
    case 'unix':
      return { socketPath: endpoint.path };
    case 'tcp':
      return { host: endpoint.host, port: endpoint.port, ...(await tls(host, endpoint.port)) };
    case 'ssh':
      // As the docker command does: the user's own ssh, so that known_hosts, agents and jump hosts count.
      return {
        host: 'ssh.invalid',
        port: 80,
        agent: Object.assign(new Agent(), { createConnection: () => dialStdio(host, endpoint) }),
      };
  }
}

// docker-modem mixes DOCKER_HOST and its kin into whatever is left out.
const nothing = { host: undefined, port: undefined, ca: undefined, cert: undefined, key: undefined, protocol: 'http' };

/** connectDocker opens nothing yet; the first call does. */
export async function connectDocker(host: Host, endpoint: Endpoint): Promise<DockerClient> {
  // dockerode loads gRPC, protobuf and an ssh client: 33 ms more where a build that finds nothing changed starts in 141 ms.
  const { DockerClient } = await import('./docker-client.ts');
  return new DockerClient(endpoint, { ...nothing, ...(await connection(host, endpoint)) } as DockerOptions);
}

const errnoOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** unreachable turns a failed first call into the error that says which command fixes it. */
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
