import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { registriesConf } from '../../src/engines/buildah-registries.ts';
import { startDaemon, stopDaemon } from '../../src/lab/daemons.ts';

const run = promisify(execFile);

export interface PodmanService {
  /** `unix:///…`, Podman's Docker-compatible API. */
  readonly endpoint: string;
  close(): Promise<void>;
}

/**
 * startPodman serves Podman's API from a store of its own. `registries` speak plain http: unlike Docker, Podman
 * takes none on loopback for insecure by itself. Chroot isolation is what works under any OCI runtime here.
 */
export async function startPodman(registries: readonly string[]): Promise<PodmanService> {
  const folder = await mkdtemp(join(tmpdir(), 'podman-'));
  const at = (name: string): string => join(folder, name);
  await writeFile(at('registries.conf'), registriesConf(registries));
  const socket = at('podman.sock');
  const ready = (): Promise<boolean> =>
    new Promise((resolve) => {
      const probe = connect(socket)
        .once('connect', () => {
          probe.destroy();
          resolve(true);
        })
        .once('error', () => {
          resolve(false);
        });
    });
  const args = ['--root', at('store'), '--runroot', at('run'), 'system', 'service', '--time=0', `unix://${socket}`];
  const env = { ...process.env, CONTAINERS_REGISTRIES_CONF: at('registries.conf'), BUILDAH_ISOLATION: 'chroot' };
  const daemon = await startDaemon('podman', 'podman', args, at('log'), ready, { env });
  return {
    endpoint: `unix://${socket}`,
    async close() {
      await stopDaemon(daemon);
      // The store binds its own directory, and leaves that behind.
      await run('umount', ['--lazy', at('store/overlay')]).catch(() => undefined);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
