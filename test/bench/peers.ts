import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { fetchTools, type ToolName } from '../../src/lab/tools.ts';
import { memoryTool } from './measure.ts';
import { fetchTrivy } from './trivy.ts';

const execute = promisify(execFile);

export const peerNames = [
  ...(['docker', 'buildah', 'skopeo', 'umoci', 'crane', 'oras', 'cosign'] as const),
  ...(['trivy', 'gzip', 'pigz', 'openssl', 'tar', 'time'] as const),
] as const;
export type PeerName = (typeof peerNames)[number];

export interface Peer {
  readonly path: string;
  readonly version?: string;
  /** Why it cannot be measured. */
  readonly missing?: string;
}

export type Peers = Readonly<Record<PeerName, Peer>>;

const debian = (name: string): string => `not installed; apt-get install ${name}`;
const versionIn = (text: string): string | undefined => /\d+\.\d+(?:\.\d+)?[^\s,)]*/.exec(text)?.[0];

/** onPath gives every place where PATH has the command, first one first. */
export function onPath(command: string, path = process.env['PATH'] ?? ''): string[] {
  return path
    .split(delimiter)
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, command))
    .filter((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

async function said(file: string, args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await execute(file, [...args], { timeout: 20_000 });
  return stdout === '' ? stderr : stdout;
}

async function installed(command: string, args: readonly string[], debianPackage = command): Promise<Peer> {
  const [path] = onPath(command);
  if (path === undefined) return { path: command, missing: debian(debianPackage) };
  const version = versionIn(await said(path, args).catch(() => ''));
  return { path, ...(version === undefined ? {} : { version }) };
}

/**
 * A docker command that builds with BuildKit: up to version 22 by itself, later only with the
 * buildx plugin, which the bench's own DOCKER_CONFIG links in when `plugin` was fetched.
 */
async function findDocker(plugin: boolean): Promise<Peer> {
  const found: Peer[] = [];
  for (const path of onPath('docker')) {
    const version = versionIn(await said(path, ['--version']).catch(() => ''));
    if (version !== undefined) found.push({ path, version });
  }
  const own = found.find(({ version }) => Number.parseInt(version ?? '', 10) < 23);
  const [first] = found;
  if (own !== undefined) return own;
  if (first === undefined) return { path: 'docker', missing: debian('docker.io') };
  return plugin ? first : { ...first, missing: 'the docker command has no buildx plugin, and it could not be fetched' };
}

/** Said of a peer that was not looked for. */
export const notNeeded = 'not needed by the chosen cases';

export interface FoundPeers {
  readonly peers: Peers;
  /** docker-buildx, for docker commands that do not build without it. */
  readonly buildx?: string;
}

/** findPeers looks for every peer; crane, oras, cosign and trivy are fetched into `cache` when they are wanted. */
export async function findPeers(cache: string, wanted: ReadonlySet<PeerName>): Promise<FoundPeers> {
  const fetched = async (name: ToolName): Promise<Peer> => {
    try {
      const tool = (await fetchTools(cache, [name]))[name];
      if (tool !== undefined) return tool;
      return { path: name, missing: 'could not be fetched' };
    } catch (error) {
      return { path: name, missing: error instanceof Error ? error.message : String(error) };
    }
  };
  const skip = (name: PeerName): Peer => ({ path: name, missing: notNeeded });
  const when = async (name: PeerName, find: () => Promise<Peer>): Promise<Peer> =>
    wanted.has(name) ? await find() : skip(name);
  const crane = await when('crane', () => fetched('crane'));
  const oras = await when('oras', () => fetched('oras'));
  const cosign = await when('cosign', () => fetched('cosign'));
  const buildx = wanted.has('docker') ? await fetched('docker-buildx') : skip('docker');
  const peers: Peers = {
    docker: await when('docker', () => findDocker(buildx.missing === undefined)),
    buildah: await installed('buildah', ['--version']),
    skopeo: await installed('skopeo', ['--version']),
    umoci: await installed('umoci', ['--version']),
    crane,
    oras,
    cosign,
    trivy: await when('trivy', () => fetchTrivy(cache)),
    gzip: await installed('gzip', ['--version']),
    pigz: await installed('pigz', ['--version']),
    openssl: await installed('openssl', ['version']),
    tar: await installed('tar', ['--version']),
    time:
      memoryTool === undefined
        ? { path: 'time', missing: `${debian('time')}: no memory was measured` }
        : await installed('time', ['--version']),
  };
  return { peers, ...(buildx.missing === undefined ? { buildx: buildx.path } : {}) };
}
