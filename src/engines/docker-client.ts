import type { Duplex, Readable } from 'node:stream';
import Docker from 'dockerode';
import type { Platform } from '../core/index.ts';
import { openSession, type Session } from './buildkit/session.ts';
import { workerPlatforms } from './buildkit/workers.ts';
import { readBuild, type Outcome } from './docker-stream.ts';
import type { Endpoint } from './endpoint.ts';
import type { BuildRequest, Credentials } from './types.ts';

type Dial = Parameters<Docker['modem']['dial']>[0];

/** DockerClient is one Engine API: dockerode (`api`) for the plain calls, its modem for the streaming ones. */
export class DockerClient {
  readonly endpoint: Endpoint;
  readonly api: Docker;

  constructor(endpoint: Endpoint, options: Docker.DockerOptions) {
    this.endpoint = endpoint;
    this.api = new Docker(options);
  }

  #dial<T>(options: Dial): Promise<T> {
    return new Promise((resolve, reject) => {
      this.api.modem.dial(options, (error: Error | null | undefined, result: unknown) => {
        if (error === null || error === undefined) resolve(result as T);
        else reject(error);
      });
    });
  }

  /** POST /build with a tar body, read to its end. dockerode's own buildImage opens a session that engines drop. */
  async build(
    query: Readonly<Record<string, string>>,
    context: Readable,
    request: BuildRequest,
    engine: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<Outcome> {
    const answer = await this.#dial<Readable>({
      path: '/build?',
      method: 'POST',
      options: query,
      file: context,
      headers: { ...headers },
      isStream: true,
      abortSignal: request.signal,
      statusCodes: { 200: true, 400: 'bad request', 500: 'server error' },
    });
    return await readBuild(answer, request, engine);
  }

  /** GET /images/NAME/get: the archive that `docker save` writes; dockerode's own cannot be stopped. */
  save(tag: string, signal: AbortSignal): Promise<Readable> {
    return this.#dial({
      path: `/images/${tag}/get`,
      method: 'GET',
      isStream: true,
      abortSignal: signal,
      statusCodes: { 200: true, 404: 'no such image', 500: 'server error' },
    });
  }

  /** An upgraded connection. */
  #hijack(path: string, headers: Readonly<Record<string, string | string[]>>): Promise<Duplex> {
    return this.#dial({
      path,
      method: 'POST',
      hijack: true,
      headers: { ...headers },
      statusCodes: { 101: true, 200: true },
    });
  }

  openSession(credentials: Credentials, context: () => Readable): Promise<Session> {
    return openSession((path, headers) => this.#hijack(path, headers), credentials, context);
  }

  async workerPlatforms(): Promise<readonly Platform[] | undefined> {
    const socket = await this.#hijack('/grpc', { Upgrade: 'h2c' }).catch(() => undefined);
    return socket === undefined ? undefined : await workerPlatforms(socket);
  }
}
