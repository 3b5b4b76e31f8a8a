import { createServer, connect } from 'node:net';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { platforms } from '../../src/core/index.ts';
import { detectEngine, dockerEngine, parseEndpoint, parseEndpointOptions } from '../../src/engines/index.ts';
import { connectDocker } from '../../src/engines/connect-docker.ts';
import { recording, type EngineCall } from './recording.ts';
import type { LabState } from '../../src/lab/state.ts';
import { useLab } from '../lab/use-lab.ts';
import { baseOf, buildsRight, host, requestFor, runs, stopsWhenAborted, twoStages, until } from './build-kit.ts';

let lab: LabState;
let current: string;
beforeAll(async () => {
  lab = await useLab(['classic', 'current']);
  current = lab.docker.current ?? '';
});

const kinds = ['classic', 'current'] as const;
const endpointOf = (kind: (typeof kinds)[number]) => parseEndpoint(kind === 'classic' ? lab.docker.classic : current);

async function imageExists(kind: (typeof kinds)[number], tag: string): Promise<boolean> {
  const { api } = await connectDocker(host, endpointOf(kind));
  return (await api.listImages({ all: true })).some(({ RepoTags }) => RepoTags?.includes(tag) === true);
}

describe.each(kinds)('with a %s Docker', (kind) => {
  test('the engine tells its store and the platforms it runs', async () => {
    const info = await dockerEngine(host, { endpoint: endpointOf(kind) }).info();
    expect(info).toMatchObject({
      product: 'Docker Engine',
      store: kind === 'classic' ? 'classic' : 'containerd',
      platforms,
    });
  });

  test.each(platforms)('%s is built, exported as that platform alone, and removed', async (platform) => {
    const built = await buildsRight(dockerEngine(host, { endpoint: endpointOf(kind) }), lab, platform);
    expect(built.archive).toBe(kind === 'classic' ? 'docker-archive' : 'oci-archive');
    expect(await imageExists(kind, built.tag)).toBe(false);
  });

  test('both platforms build at once', async () => {
    const engine = dockerEngine(host, { endpoint: endpointOf(kind) });
    await Promise.all(platforms.map((platform) => buildsRight(engine, lab, platform)));
  });

  test('Ctrl-C stops the step that runs and leaves no image', async () => {
    const engine = dockerEngine(host, { endpoint: endpointOf(kind) });
    const request = await stopsWhenAborted(engine, lab, kind === 'classic' ? '3001.25' : '3002.25');
    expect(await imageExists(kind, request.tag)).toBe(false);
  });

  test('a failing step names its line and shows its output', async () => {
    const text = `FROM ${baseOf(lab)}\n\nRUN echo before \\\n    && echo cause >&2 && exit 7\n`;
    const failing = dockerEngine(host, { endpoint: endpointOf(kind) }).build(
      await requestFor(lab, 'linux/amd64', text),
    );
    await expect(failing).rejects.toMatchObject({
      code: 'engines/step-failed',
      facts: { where: { file: 'Dockerfile', line: 3 }, found: expect.stringContaining('cause') as string },
    });
  });

  test('a base image that is not there is the upstream’s failure', async () => {
    const text = `FROM ${lab.registry}/${lab.images.base.repository}@sha256:${'0'.repeat(64)}\nRUN true\n`;
    const failing = dockerEngine(host, { endpoint: endpointOf(kind) }).build(
      await requestFor(lab, 'linux/amd64', text),
    );
    await expect(failing).rejects.toMatchObject({ code: 'engines/step-upstream', exit: 3 });
  });
});

test('each architecture builds on the Docker named for it', async () => {
  const calls: EngineCall[] = [];
  const endpoints = parseEndpointOptions([`linux/amd64=${lab.docker.classic}`, `linux/arm64=${current}`]);
  const engine = recording(await detectEngine(host, { endpoints }), calls);
  const archives = await Promise.all(
    platforms.map(async (platform) => (await buildsRight(engine, lab, platform)).archive),
  );
  expect(archives).toEqual(['docker-archive', 'oci-archive']);
  expect(calls.every(({ outcome }) => outcome === 'ok')).toBe(true);
});

test('an engine whose connection breaks in the middle is exit 4, and the engine stops building', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'proxy-'));
  const sockets = new Set<{ destroy(): unknown }>();
  const real = lab.docker.classic.slice('unix://'.length);
  const proxy = createServer((near) => {
    const far = connect(real);
    for (const socket of [near, far]) sockets.add(socket.on('error', () => undefined));
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => proxy.listen(join(folder, 'docker.sock'), resolve));
  const engine = dockerEngine(host, { endpoint: parseEndpoint(`unix://${folder}/docker.sock`) });
  const request = await requestFor(lab, 'linux/amd64', `FROM ${baseOf(lab)}\nRUN sleep 3003.25\n`);
  const building = engine.build(request).catch((error: unknown) => error);
  await until(() => runs('3003.25'), 120);
  proxy.close();
  for (const socket of sockets) socket.destroy();
  expect(await building).toMatchObject({ code: 'engines/died', exit: 4 });
  await until(async () => !(await runs('3003.25')));
  await rm(folder, { recursive: true });
});

test('over ssh, the user’s own ssh carries the connection', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ssh-'));
  // Only the network is left out: the remote command runs here, with the docker command’s real dial-stdio.
  const script = `#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done\nshift 2\nDOCKER_HOST=${lab.docker.classic} exec "$@"\n`;
  await writeFile(join(folder, 'ssh'), script);
  await chmod(join(folder, 'ssh'), 0o755);
  const path = process.env['PATH'] ?? '';
  const remote: typeof host = {
    ...host,
    exec: (command, args, options) => host.exec(command, args, { ...options, env: { PATH: `${folder}:${path}` } }),
  };
  const engine = dockerEngine(remote, { endpoint: parseEndpoint('ssh://builder@farm.example') });
  const built = await buildsRight(engine, lab, 'linux/amd64');
  expect(built.archive).toBe('docker-archive');
  await rm(folder, { recursive: true });
});

test('an unchanged build comes from the engine’s cache', async () => {
  const engine = dockerEngine(host, { endpoint: endpointOf('classic') });
  const text = twoStages(lab, 'cached');
  const first = await requestFor(lab, 'linux/amd64', text);
  await engine.remove(await engine.build(first));
  const second = await requestFor(lab, 'linux/amd64', text);
  await engine.remove(await engine.build(second));
  const ran = second.events.filter(({ $case, name }) => $case === 'done' && name.startsWith('RUN'));
  expect(ran).toEqual([]);
});
