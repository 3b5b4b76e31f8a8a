import { createHash } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deb, PrivateApt } from './apt.ts';
import { startDaemon, type Daemon } from './daemons.ts';
import { daemonEnvironment, daemonOptions, engineVersion, makeBridge } from './engine-classic.ts';
import { exists } from './host.ts';
import { enginePackages, type Architecture } from './packages.ts';
import { labSource } from './paths.ts';
import { unpack } from './apt.ts';
import { run } from './run.ts';

/** The next generation of Docker Engine lives in a root of its own: its C library is newer than the host's. */
async function engineRoot(cache: string, debs: ReadonlyMap<string, Deb>): Promise<string> {
  const packages = createHash('sha256').update(JSON.stringify([...debs.values()].map(({ sha256 }) => sha256)));
  const root = join(cache, 'engine', packages.digest('hex').slice(0, 16));
  if (await exists(root)) return root;
  await rm(`${root}.partial`, { recursive: true, force: true });
  // base-files first: it brings the links /bin and /lib that the others unpack through.
  const order = [...debs.values()].sort((a, b) => Number(b.name === 'base-files') - Number(a.name === 'base-files'));
  for (const deb of order) await unpack(deb, `${root}.partial`);
  for (const directory of ['proc', 'sys', 'dev', 'run', 'tmp', 'old', 'etc/docker', 'root'])
    await mkdir(join(`${root}.partial`, directory), { recursive: true });
  await writeFile(join(`${root}.partial`, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  await writeFile(join(`${root}.partial`, 'etc/group'), 'root:x:0:\ndocker:x:999:\n');
  const features = { features: { 'containerd-snapshotter': true } };
  await writeFile(join(`${root}.partial`, 'etc/docker/daemon.json'), JSON.stringify(features));
  await rename(`${root}.partial`, root);
  return root;
}

export async function startCurrent(
  apt: PrivateApt,
  architecture: Architecture,
  places: { readonly cache: string; readonly lab: string; readonly run: string },
  bridge: string,
  subnet: string,
): Promise<Daemon> {
  const debs = await apt.solve('engine', architecture, ['base-files', ...enginePackages]);
  const root = await engineRoot(places.cache, debs);
  const run_ = `${places.run}/current`;
  const data = join(places.lab, 'docker-current');
  await mkdir(run_, { recursive: true });
  await mkdir(data, { recursive: true });
  await makeBridge(bridge, subnet);
  const ready = async (): Promise<boolean> => (await engineVersion(`${run_}/docker.sock`)) !== undefined;
  const script = join(labSource, 'stand-ins/enter-root.sh');
  const args = ['--mount', '--propagation', 'private', '--', 'sh', script, root, run_, data];
  const log = join(places.lab, 'dockerd-current.log');
  const options = daemonOptions(run_, data, bridge);
  await run('chmod', ['755', root]);
  return startDaemon('dockerd-current', 'unshare', [...args, 'dockerd', ...options], log, ready, {
    env: { ...daemonEnvironment(), PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
    seconds: 60,
  });
}
