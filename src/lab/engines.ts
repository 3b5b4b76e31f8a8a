import { mkdir } from 'node:fs/promises';
import { AppError } from '../errors/index.ts';
import type { PrivateApt } from './apt.ts';
import { isAlive, type Daemon } from './daemons.ts';
import { engineVersion, startClassic } from './engine-classic.ts';
import { startCurrent } from './engine-current.ts';
import type { Architecture } from './packages.ts';
import type { LabPaths } from './paths.ts';
import { succeeds } from './run.ts';
import type { EngineKind, LabState } from './state.ts';

export interface Engines {
  readonly docker: LabState['docker'];
  readonly daemons: readonly Daemon[];
  readonly bridges: readonly string[];
}

const defaultSocket = '/var/run/docker.sock';

/** A /24 in the range that RFC 2544 sets aside for benchmarks, where nothing of the machine's lives. */
const subnetOf = (id: string, kind: EngineKind): string =>
  `198.${kind === 'classic' ? 18 : 19}.${Number.parseInt(id.slice(0, 2), 16)}`;
export const bridgeOf = (id: string, kind: EngineKind): string => `osl${kind === 'classic' ? 'a' : 'b'}${id}`;

async function requireRoot(): Promise<void> {
  if (process.getuid?.() === 0) return;
  throw new AppError('lab/no-engine', 'machine', 'no container engine answers, and only root can start one', {
    expected: defaultSocket,
    hint: 'start Docker (systemctl start docker), or run the lab as root',
  });
}

/** Where nothing mounts the control groups (some containers), the engine's containers cannot start. */
async function ensureCgroups(): Promise<void> {
  if (await succeeds('mountpoint', ['-q', '/sys/fs/cgroup'])) return;
  if (await succeeds('mount', ['-t', 'cgroup2', 'cgroup2', '/sys/fs/cgroup'])) return;
  throw new AppError('lab/no-cgroups', 'machine', 'no control groups are mounted', {
    expected: '/sys/fs/cgroup',
    hint: 'mount -t cgroup2 cgroup2 /sys/fs/cgroup on the host of this container',
  });
}

/** ensureEngines keeps what runs and starts what is missing. */
export async function ensureEngines(
  wanted: readonly EngineKind[],
  before: LabState | undefined,
  apt: PrivateApt,
  host: Architecture,
  paths: LabPaths,
): Promise<Engines> {
  const alive: Daemon[] = [];
  for (const daemon of before?.daemons ?? []) if (await isAlive(daemon)) alive.push(daemon);
  const running = (name: string): boolean => alive.some((daemon) => daemon.name === name);
  const daemons = alive.filter(({ name }) => name.startsWith('dockerd'));
  const bridges = new Set(before?.bridges);
  let docker: LabState['docker'] = { classic: `unix://${paths.run}/docker.sock` };
  const ours = process.env['RUNNER_IMAGE_LAB_ENGINE'] === 'own';
  if (!running('dockerd')) {
    if (!ours && (await engineVersion(defaultSocket)) !== undefined) docker = { classic: `unix://${defaultSocket}` };
    else {
      await requireRoot();
      await ensureCgroups();
      const bridge = bridgeOf(paths.id, 'classic');
      daemons.push(await startClassic(paths.lab, paths.run, bridge, subnetOf(paths.id, 'classic')));
      bridges.add(bridge);
    }
  }
  const current = `unix://${paths.run}/current/docker.sock`;
  if (running('dockerd-current')) docker = { ...docker, current };
  else if (wanted.includes('current')) {
    await requireRoot();
    await ensureCgroups();
    await mkdir(paths.run, { recursive: true, mode: 0o711 });
    const bridge = bridgeOf(paths.id, 'current');
    daemons.push(await startCurrent(apt, host, paths, bridge, subnetOf(paths.id, 'current')));
    bridges.add(bridge);
    docker = { ...docker, current };
  }
  return { docker, daemons, bridges: [...bridges] };
}
