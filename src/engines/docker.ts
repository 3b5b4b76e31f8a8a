import { Readable } from 'node:stream';
import type { Digest, Platform } from '../core/index.ts';
import { isDigest, platforms } from '../core/index.ts';
import { AppError } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import { buildFailed, engineDied, missingEmulation } from './build-error.ts';
import type { Session } from './buildkit/session.ts';
import { connectDocker, unreachable } from './connect-docker.ts';
import type { DockerClient } from './docker-client.ts';
import { dockerQuery, type Flavour } from './docker-options.ts';
import { localPlatforms } from './emulation.ts';
import { formatEndpoint, type Endpoint } from './endpoint.ts';
import { fittingLimits } from './limits.ts';
import { loginsFor, registryConfig } from './login-file.ts';
import type { BuildRequest, BuiltImage, Credentials, Engine, EngineInfo } from './types.ts';

export interface DockerOptions {
  readonly endpoint: Endpoint;
  /** For private base images; anonymous when absent. */
  readonly credentials?: Credentials | undefined;
}

const statusOf = (error: unknown): number =>
  error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 0;

interface Connected {
  readonly client: DockerClient;
  readonly flavour: Flavour;
  readonly info: EngineInfo;
  /** Of a Podman on this machine; what another machine allows is not known here. */
  readonly limits: readonly string[];
}

async function platformsOf(
  host: Host,
  client: DockerClient,
  flavour: Flavour,
): Promise<readonly Platform[] | undefined> {
  if (flavour === 'docker') return await client.workerPlatforms();
  // Podman does not list platforms, but one on this machine shares this machine's kernel.
  return client.endpoint.$case === 'unix' ? await localPlatforms(host) : undefined;
}

async function connect(host: Host, endpoint: Endpoint): Promise<Connected> {
  const client = await connectDocker(host, endpoint);
  let version, details;
  try {
    [version, details] = await Promise.all([
      client.api.version(),
      client.api.info() as Promise<Record<string, unknown>>,
    ]);
  } catch (cause) {
    throw unreachable(endpoint, cause);
  }
  const flavour = JSON.stringify(version.Components).includes('"Podman Engine"') ? 'podman' : 'docker';
  const containerd = JSON.stringify(details['DriverStatus'] ?? []).includes('io.containerd.snapshotter');
  const info: EngineInfo = {
    name: 'docker',
    product: flavour === 'podman' ? 'Podman Engine' : 'Docker Engine',
    version: version.Version,
    os: version.Os,
    architecture: version.Arch,
    store: flavour === 'podman' ? 'containers-storage' : containerd ? 'containerd' : 'classic',
    platforms: await platformsOf(host, client, flavour),
    endpoint: formatEndpoint(endpoint),
  };
  const limits = flavour === 'podman' && endpoint.$case === 'unix' ? await fittingLimits(host) : [];
  return { client, flavour, info, limits };
}

/** The engine's own image facts, checked: an engine that silently built its own platform is caught here. */
async function inspect(client: DockerClient, request: BuildRequest, engine: string): Promise<Digest | undefined> {
  const facts = await client.api.getImage(request.tag).inspect();
  const found = `${facts.Os}/${facts.Architecture}`;
  if (found !== request.platform)
    throw new AppError('engines/wrong-platform', 'machine', `${engine} built another platform than requested`, {
      expected: request.platform,
      found,
      hint: `give ${request.platform} a machine of its own (--endpoint ${request.platform}=…), or use --engine buildah`,
    });
  const id = facts.Id.startsWith('sha256:') ? facts.Id : `sha256:${facts.Id}`;
  return isDigest(id) ? id : undefined;
}

const anonymous: Credentials = async () => undefined;

/** Podman has no session to ask through: credentials go along with the request. */
async function podmanHeaders(
  request: BuildRequest,
  credentials: Credentials | undefined,
): Promise<Record<string, string>> {
  const logins = await loginsFor(request.dockerfile.text, credentials);
  return logins.size === 0 ? {} : { 'X-Registry-Config': registryConfig(logins) };
}

async function build(
  { client, flavour, info, limits }: Connected,
  request: BuildRequest,
  credentials: Credentials | undefined,
): Promise<BuiltImage> {
  const engine = `${info.product} ${info.version}`;
  let session: Session | undefined;
  let contextError: unknown;
  const contexts: Readable[] = [];
  const context = (): Readable => {
    const stream = request.context();
    stream.once('error', (error) => (contextError ??= error));
    contexts.push(stream);
    return stream;
  };
  try {
    if (flavour === 'docker') session = await client.openSession(credentials ?? anonymous, context);
    const body = session === undefined ? context() : Readable.from([]);
    const headers = flavour === 'docker' ? {} : await podmanHeaders(request, credentials);
    const query = dockerQuery(flavour, request, session, limits);
    const outcome = await client.build(query, body, request, engine, headers);
    if (contextError !== undefined) throw contextError as Error;
    if ('error' in outcome) throw outcome.error;
    return {
      engine: 'docker',
      platform: request.platform,
      tag: request.tag,
      id: (await inspect(client, request, engine)) ?? outcome.id,
      archive: info.store === 'containerd' ? 'oci-archive' : 'docker-archive',
    };
  } catch (error) {
    request.signal.throwIfAborted();
    if (contextError instanceof Error) throw contextError;
    if (error instanceof AppError) throw error;
    if (statusOf(error) > 0) throw buildFailed(request, engine, { message: messageOf(error), log: [] });
    throw engineDied(engine, error);
  } finally {
    for (const stream of contexts) stream.destroy();
    session?.close();
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** dockerEngine speaks to Docker 20.10 and later, and to Podman's compatible socket. */
export function dockerEngine(host: Host, options: DockerOptions): Engine {
  let connected: Promise<Connected> | undefined;
  const connection = (): Promise<Connected> => (connected ??= connect(host, options.endpoint));
  return {
    name: 'docker',
    info: async () => (await connection()).info,
    async build(request) {
      request.signal.throwIfAborted();
      const current = await connection();
      const { info } = current;
      if (info.platforms?.includes(request.platform) === false)
        throw missingEmulation(
          request.platform,
          `${info.product} ${info.version}`,
          `it runs ${info.platforms.join(', ') || `none of ${platforms.join(', ')}`}`,
        );
      try {
        return await build(current, request, options.credentials);
      } catch (error) {
        // A build that was stopped between its last step and its end may have left its name.
        await removeImage(current.client, request.tag).catch(() => undefined);
        throw error;
      }
    },
    async export(built, signal = host.signal) {
      const { client, info } = await connection();
      const engine = `${info.product} ${info.version}`;
      const saved = await client.save(built.tag, signal).catch((cause: unknown) => {
        signal.throwIfAborted();
        throw statusOf(cause) === 0 ? engineDied(engine, cause) : exportFailed(engine, built.tag, cause);
      });
      return Readable.from(named(saved, engine, signal), { objectMode: false, highWaterMark: 1024 * 1024 });
    },
    async remove(built) {
      const { client } = await connection();
      await removeImage(client, built.tag);
    },
  };
}

const exportFailed = (engine: string, tag: string, cause: unknown): AppError =>
  new AppError('engines/export', 'machine', `${engine} could not export ${tag}`, { cause });

/** A connection that breaks while the image streams is reported as such. */
async function* named(stream: Readable, engine: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of stream) yield chunk as Buffer;
  } catch (cause) {
    signal.throwIfAborted();
    throw engineDied(engine, cause);
  }
}

async function removeImage(client: DockerClient, tag: string): Promise<void> {
  try {
    // Never by force: only our own name goes, a container that uses the image keeps it.
    await client.api.getImage(tag).remove({ noprune: false });
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
  }
}
