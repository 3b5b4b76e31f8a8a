import type Dockerode from 'dockerode';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { connectDocker, parseEndpoint } from '../../src/engines/index.ts';
import { createHost } from '../../src/host/index.ts';
import { containerEngine, probe, probeHealth, probeLabel, type ProbeOptions } from '../../src/probe/index.ts';
import type { LabState } from '../../src/lab/state.ts';
import { useLab } from '../lab/use-lab.ts';
import { buildImage } from './image.ts';

const host = createHost({ quiet: true });
let lab: LabState;
let docker: Dockerode;
const images: string[] = [];

async function image(...faults: string[]): Promise<string> {
  const tag = await buildImage(lab, docker, `probe-${faults.join('-') || 'good'}`, faults);
  images.push(tag);
  return tag;
}

const options = (tag: string): ProbeOptions => ({
  image: tag,
  platform: 'linux/amd64',
  profile: 'standard',
  emulated: false,
  // Long enough for a busy machine: only what hangs runs into them.
  startupTimeout: 30_000,
  requestTimeout: 15_000,
  gracePeriod: 5000,
});

const left = (): Promise<Dockerode.ContainerInfo[]> =>
  docker.listContainers({ all: true, filters: { label: [probeLabel] } });

beforeAll(async () => {
  lab = await useLab();
  docker = (await connectDocker(host, parseEndpoint(lab.docker.classic))).api;
});
afterEach(async () => {
  expect(await left()).toEqual([]);
});
afterAll(async () => {
  await Promise.all([...new Set(images)].map((tag) => docker.getImage(tag).remove({ force: true })));
});

describe('a container that keeps the contract', () => {
  test('passes the whole suite as a random user without capabilities', async () => {
    const report = await probe(host, containerEngine(docker, host), options(await image()));
    expect(report.findings).toEqual([]);
    expect(report.checks.every(({ state }) => state === 'passed')).toBe(true);
  });

  test('is reachable on loopback only, and has what restricted-v2 leaves', async () => {
    const seen: Dockerode.ContainerInspectInfo[] = [];
    const engine = containerEngine(docker, host);
    await probeHealth(
      host,
      {
        ...engine,
        start: async (spec, signal) => {
          const running = await engine.start(spec, signal);
          seen.push(await docker.getContainer(running.id).inspect());
          return running;
        },
      },
      options(await image()),
    );
    expect(seen[0]?.NetworkSettings.Ports['8001/tcp']).toEqual([
      { HostIp: '127.0.0.1', HostPort: expect.stringMatching(/^\d+$/) as string },
    ]);
    expect(seen[0]?.HostConfig).toMatchObject({ CapDrop: ['ALL'], SecurityOpt: ['no-new-privileges'] });
    expect(seen[0]?.Config.User).toBe('1000680000:0');
    expect(seen[0]?.Mounts).toEqual([expect.objectContaining({ Destination: '/app/vertex', RW: false })]);
  });
});

describe('each broken image has exactly its finding', () => {
  test.each([
    ['deaf', 'probe/sigterm'],
    ['fixed-port', 'probe/agui-port'],
    ['prints-environment', 'probe/logged-secret'],
    ['orphan', 'probe/zombies'],
    ['events-404', 'probe/events-stream'],
  ])('%s', async (fault, rule) => {
    const report = await probe(host, containerEngine(docker, host), options(await image(fault)));
    expect([...new Set(report.findings.map((one) => one.rule))]).toEqual([rule]);
  });
});

describe('cleaning up', () => {
  test('an abort in the middle leaves no container', async () => {
    const abort = new AbortController();
    const work = probe({ ...host, signal: abort.signal }, containerEngine(docker, host), options(await image()));
    setTimeout(() => {
      abort.abort(new Error('Ctrl-C'));
    }, 1500);
    await expect(work).rejects.toThrow('Ctrl-C');
  });

  test('an image that the engine does not have is an error of the machine, and leaves nothing', async () => {
    await expect(probeHealth(host, containerEngine(docker, host), options('no-such-image:test'))).rejects.toMatchObject(
      {
        code: 'probe/start',
        exit: 4,
      },
    );
  });

  test('strays of a killed probe are found by their label', async () => {
    const engine = containerEngine(docker, host);
    const spec = {
      name: 'runner-probe-stray',
      image: await image(),
      platform: 'linux/amd64',
      labels: { [probeLabel]: 'gone' },
    };
    await engine.start({ ...spec, env: {}, port: 8001, readOnlyMounts: [], init: false }, host.signal);
    expect(await left()).toHaveLength(1);
    expect(await engine.removeAll(probeLabel)).toBe(1);
  });
});
