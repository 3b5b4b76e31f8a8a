import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Platform } from '../../src/core/index.ts';
import { detectEngine, parseEndpointOptions } from '../../src/engines/index.ts';
import { AppError } from '../../src/errors/index.ts';
import { createHost, type ExecResult } from '../../src/host/index.ts';
import { fakeHost, type FakeHost } from '../support/fake-host.ts';
import { stubEngine, type StubEngine } from './stub-engine.ts';
import { makeRequest } from './support.ts';

let folder: string;
const stubs: StubEngine[] = [];
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'detect-'))));
afterEach(async () => {
  await Promise.all(stubs.splice(0).map((stub) => stub.close()));
  await rm(folder, { recursive: true });
});

interface Machine {
  readonly env?: Record<string, string>;
  /** Sockets that exist, by well-known path. */
  readonly sockets?: readonly string[];
  readonly buildx?: boolean | string;
  readonly buildah?: boolean;
  readonly arm64?: boolean;
}

const ok = (stdout: string): ExecResult => ({ exitCode: 0, stdout, stderr: '' });

/** A machine that has what is named and nothing else, whatever the real one has. */
function machine(has: Machine): FakeHost {
  const { files } = createHost({ quiet: true });
  const binfmt = 'enabled\nflags: POF\nmagic 7f454c460201010000000000000000000200b700\n';
  return fakeHost({
    env: has.env ?? {},
    files: {
      ...files,
      stat: async (path) => {
        const there = has.sockets?.includes(path) === true;
        return there ? { type: 'other', size: 0, mode: 0o660, mtime: 0 } : undefined;
      },
      list: async () => (has.arm64 === true ? ['arm'] : []),
      readText: async (path) => (path.startsWith('/proc') ? binfmt : await files.readText(path)),
    },
    run: async (command, args) => {
      const missing = new AppError('host/command-missing', 'machine', `${command} is not installed`);
      if (command === 'buildah' && has.buildah === true) return ok('{"version":"1.28.2","osArch":"linux/amd64"}');
      if (command === 'docker' && has.buildx !== undefined)
        return ok(
          args[1] === 'version'
            ? 'github.com/docker/buildx 0.13.1'
            : `Driver: docker\nPlatforms: ${String(has.buildx)}\n`,
        );
      throw missing;
    },
  });
}

async function stub(name: string, options?: Parameters<typeof stubEngine>[1]): Promise<string> {
  const started = await stubEngine(join(folder, name), options);
  stubs.push(started);
  return `unix://${started.socket}`;
}

const both: readonly Platform[] = ['linux/amd64', 'linux/arm64'];
const only: readonly Platform[] = [process.arch === 'arm64' ? 'linux/arm64' : 'linux/amd64'];

describe('when an engine is looked for', () => {
  test('a socket that answers comes first', async () => {
    const host = machine({ env: { DOCKER_HOST: await stub('d.sock') }, buildx: 'linux/amd64', buildah: true });
    const info = await (await detectEngine(host, { platforms: only })).info();
    expect(info).toMatchObject({ name: 'docker', product: 'Docker Engine', version: '20.10.24', store: 'classic' });
  });

  test('Podman’s socket and the containerd store are known for what they are', async () => {
    const podman = machine({ env: { DOCKER_HOST: await stub('p.sock', { product: 'Podman Engine' }) }, arm64: true });
    expect(await (await detectEngine(podman)).info()).toMatchObject({
      product: 'Podman Engine',
      store: 'containers-storage',
    });
    const current = machine({ env: { DOCKER_HOST: await stub('c.sock', { driver: 'overlayfs', version: '26.1.5' }) } });
    expect(await (await detectEngine(current)).info()).toMatchObject({ store: 'containerd', version: '26.1.5' });
  });

  test('buildx is next, then buildah', async () => {
    const host = machine({ buildx: 'linux/amd64, linux/arm64', buildah: true, arm64: true });
    expect((await detectEngine(host)).name).toBe('buildx');
    expect((await detectEngine(machine({ buildah: true, arm64: true }))).name).toBe('buildah');
  });

  test('an engine that cannot run a wanted platform is passed over', async () => {
    const host = machine({ buildx: 'linux/amd64', buildah: true, arm64: true });
    expect((await detectEngine(host, { platforms: both })).name).toBe('buildah');
  });

  test('--engine forces one', async () => {
    const host = machine({ env: { DOCKER_HOST: await stub('d.sock') }, buildah: true, arm64: true });
    expect((await detectEngine(host, { engine: 'buildah' })).name).toBe('buildah');
    expect((await detectEngine(host, { engine: 'dry-run' })).name).toBe('dry-run');
    await expect(detectEngine(host, { engine: 'kaniko' })).rejects.toMatchObject({ code: 'engines/name', exit: 2 });
  });

  test('each platform’s build goes to the endpoint named for it', async () => {
    const [x, y] = [await stub('x.sock'), await stub('y.sock', { version: '26.1.5' })];
    const endpoints = parseEndpointOptions([`linux/amd64=${x}`, `linux/arm64=${y}`]);
    const engine = await detectEngine(machine({}), { endpoints });
    expect(await engine.info()).toMatchObject({ version: '20.10.24, 26.1.5', platforms: both });
  });

  test('a platform without an endpoint goes to the detected engine', async () => {
    const endpoints = parseEndpointOptions([`linux/arm64=${await stub('x.sock')}`]);
    const engine = await detectEngine(machine({ buildah: true }), { endpoints, platforms: both });
    const calls = await engine.build(makeRequest({ platform: 'linux/arm64' })).catch((error: unknown) => error);
    expect(calls).toMatchObject({ code: 'engines/died' });
  });
});

describe('when no engine will do', () => {
  test('nothing at all is exit 4 with a command', async () => {
    await expect(detectEngine(machine({}))).rejects.toMatchObject({
      code: 'engines/none',
      exit: 4,
      facts: { hint: expect.stringContaining('apt-get install') as string },
    });
  });

  test('missing emulation is said before anything is built', async () => {
    await expect(detectEngine(machine({ buildah: true }), { platforms: both })).rejects.toMatchObject({
      code: 'engines/no-emulation',
      exit: 4,
    });
  });

  test('a DOCKER_HOST where nothing answers is not silently replaced', async () => {
    const host = machine({ env: { DOCKER_HOST: `unix://${folder}/nobody.sock` }, buildah: true, arm64: true });
    await expect(detectEngine(host)).rejects.toMatchObject({ code: 'engines/unreachable', exit: 4 });
  });

  test('a socket that a plain file blocks names the socket', async () => {
    await writeFile(join(folder, 'file.sock'), '');
    const host = machine({ env: { DOCKER_HOST: `unix://${folder}/file.sock` } });
    await expect(detectEngine(host)).rejects.toThrow(/file\.sock/);
  });

  test('an engine that dies while it builds is exit 4 and says so', async () => {
    const host = machine({ env: { DOCKER_HOST: await stub('d.sock') } });
    const engine = await detectEngine(host, { platforms: only });
    await expect(engine.build(makeRequest())).rejects.toMatchObject({ code: 'engines/died', exit: 4 });
  });

  test('a docker context that does not exist is named', async () => {
    const host = machine({ env: { DOCKER_CONTEXT: 'gone', HOME: folder } });
    await expect(detectEngine(host)).rejects.toMatchObject({ code: 'engines/context', exit: 2 });
  });
});
