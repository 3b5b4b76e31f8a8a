import { createHash } from 'node:crypto';
import { AppError } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import { parseEndpoint, type Endpoint } from './endpoint.ts';

/** Where an engine was looked for, and why there. */
export interface Candidate {
  readonly endpoint: Endpoint;
  /** Chosen by the user (DOCKER_HOST, a context): when it fails, nothing else is tried. */
  readonly chosen?: string | undefined;
}

async function contextEndpoint(host: Host): Promise<Candidate | undefined> {
  const folder = host.env['DOCKER_CONFIG'] ?? `${host.env['HOME'] ?? ''}/.docker`;
  let name = host.env['DOCKER_CONTEXT'];
  if (name === undefined || name === '') {
    const text = await host.files.readText(`${folder}/config.json`, 1024 * 1024).catch(() => '{}');
    const config = parseObject(text, `${folder}/config.json`);
    name = typeof config['currentContext'] === 'string' ? config['currentContext'] : undefined;
  }
  if (name === undefined || name === '' || name === 'default') return undefined;
  const id = createHash('sha256').update(name).digest('hex');
  const file = `${folder}/contexts/meta/${id}/meta.json`;
  const text = await host.files.readText(file, 1024 * 1024).catch((cause: unknown) => {
    throw new AppError('engines/context', 'usage', `the docker context ${JSON.stringify(name)} does not exist`, {
      where: { file },
      hint: 'docker context ls; docker context use default',
      cause,
    });
  });
  const docker = (parseObject(text, file)['Endpoints'] as { docker?: { Host?: unknown } | undefined } | undefined)
    ?.docker;
  return typeof docker?.Host === 'string'
    ? { endpoint: parseEndpoint(docker.Host), chosen: `docker context ${name}` }
    : undefined;
}

function parseObject(text: string, file: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch (cause) {
    throw new AppError('engines/docker-config', 'usage', 'not JSON', { where: { file }, cause });
  }
  throw new AppError('engines/docker-config', 'usage', 'not a JSON object', { where: { file } });
}

/** The sockets that exist here, Docker's before Podman's. */
async function sockets(host: Host): Promise<Candidate[]> {
  const { XDG_RUNTIME_DIR: run, HOME: home } = host.env as Partial<Record<string, string>>;
  const paths = [
    '/var/run/docker.sock',
    ...(run === undefined ? [] : [`${run}/docker.sock`]),
    ...(home === undefined ? [] : [`${home}/.docker/run/docker.sock`]),
    ...(run === undefined ? [] : [`${run}/podman/podman.sock`]),
    '/run/podman/podman.sock',
  ];
  const there = await Promise.all(paths.map((path) => host.files.stat(path).catch(() => undefined)));
  return paths.flatMap((path, index) => (there[index] === undefined ? [] : [{ endpoint: { $case: 'unix', path } }]));
}

/** dockerCandidates follows the docker command: DOCKER_HOST, then the context, then known sockets. */
export async function dockerCandidates(host: Host): Promise<readonly Candidate[]> {
  const given = host.env['DOCKER_HOST'];
  if (given !== undefined && given !== '') return [{ endpoint: parseEndpoint(given), chosen: 'DOCKER_HOST' }];
  const context = await contextEndpoint(host);
  return context === undefined ? await sockets(host) : [context];
}
