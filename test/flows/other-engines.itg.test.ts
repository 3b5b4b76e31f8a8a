import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf, parseIndex, platforms, type Descriptor, type Digest, type Mirrors } from '../../src/core/index.ts';
import { createRegistry, type Registry } from '../../src/registry/index.ts';
import { startPodman, type PodmanService } from '../engines/podman-service.ts';
import type { LabImage, LabState } from '../../src/lab/state.ts';
import { fetchTools } from '../../src/lab/tools.ts';
import { useLab } from '../lab/use-lab.ts';
import { startDockerRegistry, type DockerRegistry } from '../support/registries/docker-registry.ts';
import { loginFile, passwordFor } from '../support/registries/login.ts';
import { copyFragment, filesUnder, hostOf, makeProject, startIn, type Project } from './project.ts';

const login = { user: 'puller', password: 'open-sesame-4711' };
let lab: LabState;
/** With a file, a step and what it leaves; for one platform, since emulation takes long. */
let project: Project;
/** Copies alone, for both platforms. */
let plain: Project;
/** On a base that only who is logged in gets. */
let secret: Project;
let podman: PodmanService;
let priv: DockerRegistry;
let folder: string;
/** Docker's configuration directory: the buildx plugin is there, and for who may, the login. */
const configs = { anonymous: '', known: '' };

async function dockerConfig(name: string, auths: object): Promise<string> {
  const directory = join(folder, name);
  await mkdir(join(directory, 'cli-plugins'), { recursive: true });
  const { 'docker-buildx': plugin } = await fetchTools(lab.cache, ['docker-buildx']);
  if (plugin === undefined) throw new Error('there is no buildx');
  await symlink(plugin.path, join(directory, 'cli-plugins/docker-buildx'));
  await writeFile(join(directory, 'config.json'), JSON.stringify({ auths }), { mode: 0o600 });
  return directory;
}

beforeAll(async () => {
  lab = await useLab(['classic', 'current']);
  project = await makeProject(lab);
  plain = await makeProject(lab);
  await plain.write('images/fragments/small.dockerfile', copyFragment);
  folder = await mkdtemp(join(tmpdir(), 'other-engines-'));
  await mkdir(join(folder, 'tmp'));
  priv = await startDockerRegistry(login);
  podman = await startPodman([lab.registry, priv.host]);
  configs.anonymous = await dockerConfig('anonymous', {});
  configs.known = await dockerConfig('known', { [priv.host]: passwordFor(login.user, login.password) });
  const host = hostOf();
  const known = loginFile({ auths: { [priv.host]: passwordFor(login.user, login.password) } });
  const registry = createRegistry({ ...host, env: { ...host.env, ...known.env } });
  secret = await makeProject({ ...lab, images: { ...lab.images, base: await unseenBase(registry) } });
  await secret.write('images/fragments/small.dockerfile', copyFragment);
  known.remove();
});

/**
 * The lab's base under digests that no engine has seen: Docker asks nobody for a manifest that it has, whatever
 * registry it came from, and so would never log in.
 */
async function unseenBase(registry: Registry): Promise<LabImage> {
  const { base } = lab.images;
  const [from, to] = [lab.registry, priv.host].map((at) => ({ registry: at, repository: base.repository }));
  if (from === undefined || to === undefined) throw new Error('unreachable');
  const annotations = { 'example.unseen': randomUUID() };
  await registry.copy(from, to, base.digest as Digest);
  const put = async (digest: Digest, change: (document: object) => object): Promise<Descriptor> => {
    const { bytes, descriptor } = await registry.manifest({ ...to, digest });
    const text = Buffer.from(JSON.stringify(change(JSON.parse(Buffer.from(bytes).toString()) as object)));
    await registry.put(to, text, descriptor.mediaType);
    return { ...descriptor, digest: digestOf(text), size: text.length };
  };
  const children: Descriptor[] = [];
  for (const child of parseIndex((await registry.manifest({ ...to, digest: base.digest as Digest })).bytes).manifests)
    children.push({ ...child, ...(await put(child.digest, (manifest) => ({ ...manifest, annotations }))) });
  const { digest } = await put(base.digest as Digest, (index) => ({ ...index, manifests: children }));
  const [amd64, arm64] = children.map((child) => child.digest);
  return { ...base, digest, platforms: { 'linux/amd64': amd64 ?? '', 'linux/arm64': arm64 ?? '' } };
}

afterAll(async () => {
  await podman.close();
  await priv.close();
  await project.remove();
  await plain.remove();
  await secret.remove();
  await rm(folder, { recursive: true });
});

interface Options {
  readonly from?: Project;
  readonly config?: string;
  readonly mirrored?: string;
}

/** The command, with another engine's arguments, into a layout that is not there yet. */
async function command(args: readonly string[], options: Options = {}) {
  const { from = project, config = configs.anonymous, mirrored } = options;
  await rm(join(from.root, 'dist/small'), { recursive: true, force: true });
  const mirrors: Mirrors =
    mirrored === undefined ? from.mirrors : { images: { 'registry.access.redhat.com': mirrored }, urls: {} };
  const env = { DOCKER_CONFIG: config, REGISTRY_AUTH_FILE: '', TMPDIR: join(folder, 'tmp') };
  return (await startIn(from, ['build', 'small', '--json', ...args], mirrors, env)).ended;
}

async function works(args: readonly string[], options: Options = {}): Promise<{ index: unknown; stderr: string }> {
  const { code, stdout, stderr } = await command(args, options);
  if (code !== 0) throw new Error(`${args.join(' ')}: exit ${code ?? 'none'}\n${stderr}`);
  return { index: (JSON.parse(stdout) as { index: unknown }).index, stderr };
}

const one = ['--platform', 'linux/amd64'];
const current = () => ['--engine', 'buildx', '--endpoint', lab.docker.current ?? ''];

describe('the same layout as Docker’s own builder gives', () => {
  // Docker's classic engine is what the other suite compares everything with.
  let expected: unknown;
  beforeAll(async () => {
    ({ index: expected } = await works(one));
  });

  test('from Podman’s socket', async () => {
    expect((await works([...one, '--endpoint', podman.endpoint])).index).toEqual(expected);
  });

  test('from buildx', async () => {
    expect((await works([...one, ...current()])).index).toEqual(expected);
  });
});

describe('buildx', () => {
  test('exports one cache for each platform, and imports them again', async () => {
    const cache = join(folder, 'cache-{arch}');
    const { index } = await works([...current(), '--cache-to', `type=local,dest=${cache}`], { from: plain });
    for (const architecture of ['amd64', 'arm64'])
      expect(await readdir(join(folder, `cache-${architecture}`))).toContain('index.json');
    const again = await works([...current(), '--cache-from', `type=local,src=${cache}`], { from: plain });
    expect(again.index).toEqual(index);
    for (const platform of platforms)
      expect(again.stderr).toMatch(new RegExp(`${platform}: importing cache manifest from local`));
  });

  test('one cache for two platforms is refused before anything is built, for the last would overwrite the first', async () => {
    const cache = 'type=registry,ref=127.0.0.1:1/cache';
    const { code, stderr } = await command([...current(), '--cache-to', cache], { from: plain });
    expect(code).toBe(2);
    expect(stderr).toContain('flows/shared-cache');
    expect(stderr).toContain(cache);
  });

  test('says of a builder that cannot write OCI archives which one can: exit 4', async () => {
    const { code, stderr } = await command([...one, '--engine', 'buildx']);
    expect(code).toBe(4);
    expect(stderr).toContain('engines/buildx-driver');
    expect(stderr).toMatch(/do: .*docker buildx create.*--engine docker/);
    expect(await filesUnder(join(project.root, 'dist/small'))).toEqual(['oci-layout']);
  });
});

describe('a base behind a login', () => {
  const engines: readonly (readonly [string, () => readonly string[]])[] = [
    ['classic Docker', () => []],
    ['current Docker', () => ['--endpoint', lab.docker.current ?? '']],
    ['Podman’s socket', () => ['--endpoint', podman.endpoint]],
    ['buildx', current],
    ['Buildah', () => ['--engine', 'buildah']],
  ];

  test('nobody who is not logged in gets it: exit 3 before an engine starts, and how to log in', async () => {
    const { code, stderr } = await command(one, { from: secret, mirrored: priv.host });
    expect(code).toBe(3);
    expect(stderr).toContain('flows/upstream-refused');
    expect(stderr).toContain(`docker login ${priv.host}`);
  });

  test.each(engines)('%s is given the login of the docker configuration', async (_name, args) => {
    const options = { from: secret, mirrored: priv.host, config: configs.known };
    const { code, stdout, stderr } = await command([...one, ...args()], options);
    expect(code, stderr).toBe(0);
    expect(stdout + stderr).not.toContain(login.password);
    // Nothing is left of what was written for the engine alone: neither the logins nor the archive.
    expect(await readdir(join(folder, 'tmp'))).toEqual([]);
  });
});
