import { mkdir, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { startDaemon, type Daemon } from './daemons.ts';
import { exists } from './host.ts';
import { run } from './run.ts';

/** engineVersion asks a Docker Engine API on a Unix socket; returns undefined when nothing answers. */
export async function engineVersion(socket: string): Promise<string | undefined> {
  if (!(await exists(socket))) return undefined;
  return new Promise((resolve) => {
    const call = request({ socketPath: socket, path: '/version', timeout: 2000 }, (answer) => {
      let body = '';
      answer.on('data', (chunk: Buffer) => (body += chunk.toString('utf8')));
      answer.on('end', () => {
        resolve(/"Version":"([^"]+)"/.exec(body)?.[1]);
      });
    });
    call.on('timeout', () => call.destroy());
    call.on('error', () => {
      resolve(undefined);
    });
    call.end();
  });
}

/** A bridge of its own: two daemons that share docker0 delete each other's. */
export async function makeBridge(name: string, subnet: string): Promise<void> {
  await run('ip', ['link', 'delete', name]).catch(() => undefined);
  await run('ip', ['link', 'add', name, 'type', 'bridge']);
  await run('ip', ['address', 'add', `${subnet}.1/24`, 'dev', name]);
  await run('ip', ['link', 'set', name, 'up']);
}

/**
 * The daemon's options: published ports go through its proxy process, so that the machine's
 * firewall is neither needed nor changed. Containers that need the world use host networking.
 */
export function daemonOptions(run_: string, data: string, bridge: string): string[] {
  return [
    ...['--host', `unix://${run_}/docker.sock`, '--pidfile', `${run_}/docker.pid`],
    ...['--data-root', data, '--exec-root', `${run_}/exec`],
    ...['--bridge', bridge, '--iptables=false', '--ip6tables=false', '--ip-forward=false', '--ip-masq=false'],
    ...['--userland-proxy=true', '--log-level', 'warn'],
  ];
}

export const daemonEnvironment = (): NodeJS.ProcessEnv => {
  const { DOCKER_HOST: _host, DOCKER_CONTEXT: _context, ...env } = process.env;
  const PATH = `${env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`;
  return { ...env, PATH };
};

/** startClassic runs the machine's own dockerd (Debian: docker.io) beside everything else. */
export async function startClassic(lab: string, run_: string, bridge: string, subnet: string): Promise<Daemon> {
  await mkdir(run_, { recursive: true, mode: 0o711 });
  await mkdir(join(lab, 'docker'), { recursive: true });
  await makeBridge(bridge, subnet);
  // The machine's /etc/docker/daemon.json is for its own daemon, and flags may not repeat what it says.
  const settings = join(lab, 'daemon.json');
  await writeFile(settings, '{}');
  const options = [...daemonOptions(run_, join(lab, 'docker'), bridge), '--config-file', settings];
  const ready = async (): Promise<boolean> => (await engineVersion(`${run_}/docker.sock`)) !== undefined;
  return startDaemon('dockerd', 'dockerd', options, join(lab, 'dockerd.log'), ready, {
    env: daemonEnvironment(),
    seconds: 60,
  });
}
