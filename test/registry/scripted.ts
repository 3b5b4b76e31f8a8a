import { Readable } from 'node:stream';
import { digestOf, mediaTypes, type Descriptor } from '../../src/core/index.ts';
import type { FetchOptions, FetchResponse } from '../../src/host/index.ts';
import { createRegistry, type Registry, type RegistryOptions } from '../../src/registry/index.ts';
import { fakeHost, type FakeHost } from '../support/fake-host.ts';

/** Asked is one request as it leaves the host. */
export interface Asked {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
}

/** Reply is an answer: 200 without a body unless it says otherwise. */
export interface Reply {
  readonly status?: number | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | Buffer | undefined;
}

export interface Scripted {
  readonly host: FakeHost;
  readonly registry: Registry;
  /** `GET /path` of every request, in order. */
  readonly log: string[];
  readonly asked: Asked[];
}

/** The repository that the scripts are about; it is reached by https. */
export const repo = { registry: 'quay.example', repository: 'team/app' };
/** Where a part of it is. */
export const at = (path: string): string => `/v2/team/app/${path}`;

/** scripted is a client whose requests this function answers, over https, without a socket. */
export function scripted(answer: (asked: Asked) => Reply, options: RegistryOptions = {}, env = {}): Scripted {
  const log: string[] = [];
  const asked: Asked[] = [];
  const fetch = async (address: string, given: FetchOptions = {}): Promise<FetchResponse> => {
    const request = { method: given.method ?? 'GET', url: new URL(address), headers: given.headers ?? {} };
    log.push(`${request.method} ${request.url.pathname}`);
    asked.push(request);
    if (given.body instanceof Readable) await given.body.toArray();
    const { status = 200, headers = {}, body = '' } = answer(request);
    return { status, headers: new Map(Object.entries(headers)), body: Readable.from([Buffer.from(body)]) };
  };
  const host = fakeHost({ fetch, env });
  return { host, registry: createRegistry(host, { retry: { attempts: 1 }, ...options }), log, asked };
}

/** replies answers by `METHOD /path`, and 404 for everything else. */
export const replies =
  (table: Readonly<Record<string, Reply>>) =>
  ({ method, url }: Asked): Reply =>
    table[`${method} ${url.pathname}`] ?? { status: 404 };

export const describeJson = (
  value: unknown,
  mediaType: string,
): { readonly bytes: Buffer; readonly descriptor: Descriptor } => {
  const bytes = Buffer.from(JSON.stringify(value));
  return { bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length } };
};

/** The smallest manifest, with members added. */
export function manifestWith(more: object = {}): ReturnType<typeof describeJson> {
  const config = { mediaType: mediaTypes.empty, digest: digestOf('{}'), size: 2 };
  return describeJson(
    { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers: [], ...more },
    mediaTypes.manifest,
  );
}

/** The code of what is thrown; `fine` when nothing is. */
export const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'fine',
    (error: unknown) => (error as { readonly code: string }).code,
  );
