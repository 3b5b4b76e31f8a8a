import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { extract } from 'tar-stream';
import { expect } from 'vitest';
import type { Platform } from '../../src/core/index.ts';
import { contextSource, type BuiltImage, type Engine } from '../../src/engines/index.ts';
import { createHost } from '../../src/host/index.ts';
import type { LabState } from '../../src/lab/state.ts';
import { makeRequest } from './support.ts';

export const host = createHost({ quiet: true });

/** What `uname -m` says on each platform. */
export const machineNames: Record<Platform, string> = { 'linux/amd64': 'x86_64', 'linux/arm64': 'aarch64' };

export const baseOf = (lab: LabState): string =>
  `${lab.registry}/${lab.images.base.repository}@${lab.images.base.digest}`;

/** A two-stage build on the lab's base; `once` keeps one test's cache from another's. */
export const twoStages = (lab: LabState, once = ''): string => `FROM ${baseOf(lab)} AS base
ARG NOTE=none
RUN --mount=type=bind,source=build-ca,target=/run/build-ca \\
    uname -m > /machine && echo "note $NOTE ${once}" && ls /run/build-ca > /mounted

FROM ${baseOf(lab)}
COPY --from=base --chmod=0644 /machine /mounted /made/
RUN cat /made/machine
`;

export type Request = ReturnType<typeof makeRequest>;

export async function requestFor(
  lab: LabState,
  platform: Platform,
  text: string,
  overrides: Partial<Parameters<typeof makeRequest>[0]> = {},
): Promise<Request> {
  const context = await contextSource(host, { root: '/', files: [], dockerfile: text, extraCa: Buffer.from('PEM\n') });
  return makeRequest({
    platform,
    dockerfile: { path: 'Dockerfile', text },
    context,
    buildArgs: { NOTE: 'hello', ...lab.proxies },
    labels: { 'example.label': 'one "two" three' },
    tag: `runner-image.local/itg:${platform.replace('/', '-')}-${createHash('sha256').update(text).digest('hex').slice(0, 12)}`,
    ...overrides,
  });
}

interface Exported {
  readonly bytes: number;
  /** Every JSON document of the archive, by path. */
  readonly documents: ReadonlyMap<string, unknown>;
}

export async function readArchive(stream: Readable): Promise<Exported> {
  const documents = new Map<string, unknown>();
  let bytes = 0;
  const reader = extract();
  stream.on('data', (chunk: Buffer) => (bytes += chunk.length));
  stream.once('error', (error: Error) => reader.destroy(error));
  stream.pipe(reader);
  for await (const entry of reader) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) if (entry.header.size < 1_000_000) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    if (text.startsWith('{') || text.startsWith('[')) documents.set(entry.header.name, JSON.parse(text));
  }
  return { bytes, documents };
}

interface Config {
  readonly architecture?: string;
  readonly config?: { readonly Labels?: Record<string, string> };
  readonly rootfs?: { readonly diff_ids: readonly string[] };
}

/** The image configs of an archive: exactly one is expected, of the platform that was asked for. */
export function configsOf({ documents }: Exported): Config[] {
  return [...documents.values()].filter(
    (value): value is Config => typeof value === 'object' && value !== null && 'rootfs' in value,
  );
}

/** buildsRight is what every engine must do: build, report, export the platform, and remove. */
export async function buildsRight(engine: Engine, lab: LabState, platform: Platform): Promise<BuiltImage> {
  const request = await requestFor(lab, platform, twoStages(lab));
  const built = await engine.build(request);
  const logs = request.events.flatMap((event) => (event.$case === 'log' ? [event.line] : []));
  const steps = request.events.filter((event) => event.$case === 'done' || event.$case === 'cached');
  expect(steps.some(({ name }) => name.startsWith('RUN cat /made/machine'))).toBe(true);
  const cached = request.events.some((event) => event.$case === 'cached');
  if (!cached) expect(logs).toContain(machineNames[platform]);
  const exported = await readArchive(await engine.export(built));
  const [config, ...more] = configsOf(exported);
  expect(more).toEqual([]);
  expect(config?.architecture).toBe(platform.split('/')[1]);
  expect(config?.config?.Labels?.['example.label']).toBe('one "two" three');
  expect(exported.documents.has(built.archive === 'oci-archive' ? 'index.json' : 'manifest.json')).toBe(true);
  await engine.remove(built);
  await engine.remove(built);
  return built;
}

/** until waits for something that another process does. */
export async function until(what: () => Promise<boolean> | boolean, seconds = 30): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (Date.now() < end) {
    if (await what()) return;
    await host.clock.sleep(100);
  }
  throw new Error(`did not happen within ${seconds} s: ${what.toString()}`);
}

/** Whether a process with exactly this argument runs on this machine. */
export async function runs(argument: string): Promise<boolean> {
  for (const pid of (await host.files.list('/proc')).filter((name) => /^\d+$/.test(name))) {
    const line = await host.files.readText(`/proc/${pid}/cmdline`, 1024 * 1024).catch(() => '');
    if (line.split('\0').includes(argument)) return true;
  }
  return false;
}

/** stopsWhenAborted: Ctrl-C ends the engine's own work, not just our waiting for it. */
export async function stopsWhenAborted(engine: Engine, lab: LabState, seconds: string): Promise<Request> {
  const controller = new AbortController();
  const text = `FROM ${baseOf(lab)}\nRUN sleep ${seconds}\n`;
  const request = await requestFor(lab, 'linux/amd64', text, { signal: controller.signal });
  const building = engine.build(request).then(
    () => 'built',
    (error: unknown) => (error instanceof Error ? error.name : 'unknown'),
  );
  // A build that fails at once must not be waited for.
  const early = await Promise.race([building, until(() => runs(seconds), 120)]);
  expect(early).toBeUndefined();
  controller.abort();
  expect(await building).toBe('AbortError');
  await until(async () => !(await runs(seconds)));
  return request;
}
