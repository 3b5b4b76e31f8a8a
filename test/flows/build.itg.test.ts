import { createServer as createHttps } from 'node:https';
import { connect, createServer, type AddressInfo } from 'node:net';
import { readFile, rename, rm, symlink, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { extract, type Header } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseIndex, parseManifest, platforms, type Descriptor, type Digest } from '../../src/core/index.ts';
import { buildahEngine, dockerEngine, parseEndpoint, type Engine, type EngineInfo } from '../../src/engines/index.ts';
import { chooseEngine, type BuildResult } from '../../src/flows/build/index.ts';
import { readEvidence } from '../../src/evidence/index.ts';
import { pushed } from '../support/pushed.ts';
import { openLayout, validateLayout } from '../../src/oci/index.ts';
import { createRegistry } from '../../src/registry/index.ts';
import { runs, until } from '../engines/build-kit.ts';
import { makeCertificates } from '../../src/lab/certificates.ts';
import type { LabState } from '../../src/lab/state.ts';
import { useLab } from '../lab/use-lab.ts';
import { startDockerRegistry } from '../support/registries/docker-registry.ts';
import {
  build,
  filesUnder,
  hostOf,
  makeProject,
  marker,
  planOf,
  projectRoot,
  registryOf,
  smallFragment,
  startIn,
  type Project,
} from './project.ts';

type Built = Extract<BuildResult, { $case: 'built' }>;
const engineNames = ['classic', 'current', 'buildah'] as const;
type EngineName = (typeof engineNames)[number];

const host = hostOf();
let lab: LabState;
let project: Project;
const made = new Map<EngineName, Built>();

const dist = (name: string) => join(project.root, 'dist', name);
const docker = (endpoint = lab.docker.classic): Engine => dockerEngine(host, { endpoint: parseEndpoint(endpoint) });
const engines: Record<EngineName, () => Engine> = {
  classic: () => docker(),
  current: () => docker(lab.docker.current),
  buildah: () => buildahEngine(host),
};
const none = () => Promise.reject(new Error('an engine was started'));

async function built(from: Project, engine: Engine, options: Parameters<typeof build>[2] = {}): Promise<Built> {
  const result = await build(from, () => Promise.resolve(engine), { host, ...options });
  if (result.$case !== 'built') throw new Error(`nothing was built: ${result.$case}`);
  return result;
}

beforeAll(async () => {
  lab = await useLab(['classic', 'current']);
  project = await makeProject(lab);
  for (const name of engineNames) made.set(name, await built(project, engines[name](), { layout: dist(name) }));
});
afterAll(() => project.remove());

const of = (name: EngineName): Built => {
  const result = made.get(name);
  if (result === undefined) throw new Error(`${name} built nothing`);
  return result;
};

async function manifestsOf(directory: string) {
  const layout = await openLayout(host, directory);
  const root = (await layout.index())?.manifests[0];
  if (root === undefined) throw new Error(`${directory} holds nothing`);
  const { manifests } = parseIndex(await layout.read(root));
  return Promise.all(manifests.map(async (child) => parseManifest(await layout.read(child))));
}

const blob = (directory: string, { digest }: Pick<Descriptor, 'digest'>): Promise<Buffer> =>
  readFile(join(directory, 'blobs/sha256', digest.slice('sha256:'.length)));

async function entriesOf(layer: Buffer): Promise<Map<string, Header>> {
  const entries = new Map<string, Header>();
  const reader = extract();
  reader.end(gunzipSync(layer));
  for await (const entry of reader) {
    entries.set(entry.header.name, entry.header);
    entry.resume();
  }
  return entries;
}

describe('one layout, whichever engine', () => {
  test.each(['current', 'buildah'] as const)(
    '%s gives every blob, manifest and the index as classic Docker',
    async (name) => {
      const texts = async (engine: EngineName) =>
        Promise.all(
          (await manifestsOf(dist(engine))).map(async ({ config }) => (await blob(dist(engine), config)).toString()),
        );
      // First what people can read, so that a difference shows where it is.
      expect((await texts(name)).map((text) => JSON.parse(text) as unknown)).toEqual(
        (await texts('classic')).map((text) => JSON.parse(text) as unknown),
      );
      expect(await filesUnder(dist(name))).toEqual(await filesUnder(dist('classic')));
      expect(of(name).index).toEqual(of('classic').index);
    },
  );

  test('two daemons share the platforms, and the index is the same', async () => {
    const calls: string[] = [];
    const plan = await planOf(project, host);
    const endpoints = [`linux/amd64=${lab.docker.classic}`, `linux/arm64=${lab.docker.current ?? ''}`];
    const engine = await chooseEngine(host, plan, { endpoints });
    // The two may be of one version: what the record says of each engine carries where it listens, too.
    const named = async (of: Promise<EngineInfo>): Promise<EngineInfo> => {
      const info = await of;
      return { ...info, version: `${info.version} (${info.endpoint ?? ''})` };
    };
    const watched: Engine = {
      ...engine,
      info: (platform) => named(engine.info(platform)),
      async build(request) {
        const image = await engine.build(request);
        calls.push(`${image.platform} ${image.archive}`);
        return image;
      },
    };
    const { index } = await built(project, watched, { layout: dist('shared') });
    expect(calls.sort()).toEqual(['linux/amd64 docker-archive', 'linux/arm64 oci-archive']);
    expect(index.digest).toBe(of('classic').index.digest);
    // Each platform's record names its own engine: their versions differ.
    const versions = (await readEvidence(host, dist('shared')))?.evidence.builds.map(
      ({ platform, engine: { version } }) => [platform, version],
    );
    expect(versions).toEqual([
      ['linux/amd64', (await named(engines.classic().info())).version],
      ['linux/arm64', (await named(engines.current().info())).version],
    ]);
    expect(new Set(versions?.map(([, version]) => version)).size).toBe(2);
    await rm(dist('shared'), { recursive: true });
  });
});

describe('what lies in the layout', () => {
  test('the first layers are the pinned base’s own blobs, and the proof says which', async () => {
    const registry = registryOf(project, host);
    const { registry: at, repository } = { registry: lab.registry, repository: lab.images.base.repository };
    const manifests = await manifestsOf(dist('classic'));
    for (const [index, platform] of platforms.entries()) {
      const digest = lab.images.base.platforms[platform] as Digest;
      const upstream = parseManifest((await registry.manifest({ registry: at, repository, digest })).bytes);
      const proof = of('classic').platforms.find((one) => one.platform === platform)?.base;
      expect(proof).toMatchObject({ digest: lab.images.base.digest, manifestDigest: digest });
      const wanted = upstream.layers.map((layer) => layer.digest);
      expect(wanted.length).toBeGreaterThan(0);
      expect(proof?.layers.map((layer) => layer.digest)).toEqual(wanted);
      expect(manifests[index]?.layers.slice(0, wanted.length).map((layer) => layer.digest)).toEqual(wanted);
    }
  });

  test('own layers hold exactly what the instructions made, with owners, modes and times', async () => {
    const [manifest] = await manifestsOf(dist('classic'));
    const own = manifest?.layers.slice(-3) ?? [];
    const layers = await Promise.all(own.map(async (layer) => entriesOf(await blob(dist('classic'), layer))));
    expect(layers.map((layer) => [...layer.keys()])).toEqual([
      ['opt/', 'opt/note'],
      [
        'etc/',
        'etc/.wh.issue',
        'opt/',
        'opt/made/',
        'opt/made/again',
        'opt/made/link',
        'opt/made/machine',
        'opt/made/old',
      ],
      ['opt/', 'opt/staged'],
    ]);
    expect(layers[0]?.get('opt/note')).toMatchObject({ uid: 1001, gid: 0, mode: 0o664 });
    expect(layers[1]?.get('opt/made/')).toMatchObject({ uid: 1001, gid: 0, mode: 0o2775 });
    expect(layers[1]?.get('opt/made/machine')).toMatchObject({ type: 'link', linkname: 'opt/made/again' });
    expect(layers[1]?.get('opt/made/old')?.mtime).toEqual(new Date('2001-02-03T04:05:06Z'));
    expect(layers[1]?.get('opt/made/again')?.mtime).toEqual(new Date(1_750_000_000_000));
  });

  test('the extra CA, which the build needed, is in no layer, config or manifest', async () => {
    // The step itself fails without /run/build-ca/extra.pem, so the build had it.
    for (const name of engineNames) {
      for (const file of (await filesUnder(dist(name))).filter((path) => path.startsWith('blobs/'))) {
        const bytes = await readFile(join(dist(name), file));
        const plain = bytes[0] === 0x1f ? gunzipSync(bytes) : bytes;
        expect(plain.includes(marker), `${name}: ${file}`).toBe(false);
      }
    }
  });

  test('the validator, skopeo inspect and skopeo copy accept it', async () => {
    expect(await validateLayout(host, dist('classic'))).toEqual([]);
    const { digest } = of('classic').index;
    const raw = await host.exec('skopeo', ['inspect', '--raw', `oci:${dist('classic')}`]);
    expect(parseIndex(Buffer.from(raw.stdout)).manifests).toHaveLength(2);
    for (const architecture of ['amd64', 'arm64']) {
      const args = ['inspect', '--config', '--override-arch', architecture, `oci:${dist('classic')}`];
      const { stdout } = await host.exec('skopeo', args);
      expect(JSON.parse(stdout)).toMatchObject({ architecture, config: { User: '1001', Cmd: ['exec sleep 1000'] } });
    }
    const copy = ['copy', '--quiet', '--all', `oci:${dist('classic')}`, `oci:${dist('copied')}:latest`];
    expect(await host.exec('skopeo', copy)).toMatchObject({ exitCode: 0 });
    const copied = await (await openLayout(host, dist('copied'))).index();
    expect(copied?.manifests.map((one) => one.digest)).toEqual([digest]);
    await rm(dist('copied'), { recursive: true });
  });
});

describe('nothing changed', () => {
  test('the layout answers, and no engine is even looked for', async () => {
    expect(await build(project, none, { host, layout: dist('classic') })).toEqual({
      $case: 'unchanged',
      from: 'layout',
      index: of('classic').index,
      layout: dist('classic'),
    });
  });

  test('the registry answers when the layout is gone, and a changed file asks for an engine again', async () => {
    const server = await startDockerRegistry();
    const repository = `${server.host}/team/small`;
    const registry = createRegistry(host);
    const plan = await planOf(project, host);
    const tags = [`input-${plan.inputDigest.slice('sha256:'.length, 'sha256:'.length + 32)}`];
    await pushed(host, { layout: dist('classic'), repository, registry, tags });
    const options = { host, registry, reuse: { published: repository }, layout: dist('gone') };
    const { digest } = of('classic').index;
    const unchanged = { $case: 'unchanged', from: 'registry', digest, reference: `${repository}@${digest}` };
    expect(await build(project, none, options)).toEqual(unchanged);
    expect(await filesUnder(dist('gone'))).toEqual([]);
    await project.write('images/small/rootfs/note', 'another note\n');
    await expect(build(project, none, options)).rejects.toThrow('an engine was started');
    await project.write('images/small/rootfs/note', 'a note\n');
    await server.close();
  });

  test('a blob that is missing from the layout is a change', async () => {
    const [manifest] = await manifestsOf(dist('buildah'));
    const layer = join(dist('buildah'), 'blobs/sha256', manifest?.layers.at(-1)?.digest.slice('sha256:'.length) ?? '');
    await rename(layer, `${dist('buildah')}.aside`);
    await expect(build(project, none, { host, layout: dist('buildah') })).rejects.toThrow('an engine was started');
    await rename(`${dist('buildah')}.aside`, layer);
  });
});

describe('what goes wrong in the middle', () => {
  /** A project whose RUN step lasts until somebody ends it. */
  async function sleeper(seconds: string): Promise<Project> {
    const slow = await makeProject(lab);
    await slow.write('images/fragments/small.dockerfile', smallFragment(`RUN sleep ${seconds}\n`));
    return slow;
  }

  async function leftovers(from: Project): Promise<string[]> {
    const { stdout } = await host.exec('docker', [
      '-H',
      lab.docker.classic,
      'images',
      '--all',
      '--format',
      '{{.Repository}}',
    ]);
    const images = stdout.split('\n').filter((name) => name.endsWith('/small'));
    const files = await filesUnder(join(from.root, 'dist'));
    return [...images, ...files.filter((file) => file !== 'small/oci-layout')];
  }

  test('two builds into one layout: the second ends at once and says who is first', async () => {
    let enter = (): void => undefined;
    let leave = (): void => undefined;
    const entered = new Promise<void>((resolve) => (enter = resolve));
    const left = new Promise<void>((resolve) => (leave = resolve));
    const engine = docker();
    const slow: Engine = {
      ...engine,
      async build(request) {
        enter();
        await left;
        return engine.build(request);
      },
    };
    const first = built(project, slow, { layout: dist('classic'), reuse: { never: true } });
    await entered;
    const second = built(project, docker(), { layout: dist('classic'), reuse: { never: true } });
    await expect(second).rejects.toMatchObject({
      code: 'oci/locked',
      exit: 2,
      facts: { found: expect.stringContaining(`process ${process.pid}`) as string },
    });
    leave();
    expect((await first).index).toEqual(of('classic').index);
  });

  test('an engine that dies leaves the layout that was there, and no lock', async () => {
    const slow = await sleeper('3006.25');
    const [socket, sockets] = [join(slow.root, 'docker.sock'), new Set<{ destroy(): unknown }>()];
    const proxy = createServer((near) => {
      const far = connect(lab.docker.classic.slice('unix://'.length));
      for (const one of [near, far]) sockets.add(one.on('error', () => undefined));
      near.pipe(far).pipe(near);
    });
    await new Promise<void>((resolve) => proxy.listen(socket, resolve));
    const before = await filesUnder(dist('classic'));
    const building = built(slow, docker(`unix://${socket}`), { layout: dist('classic') }).catch(
      (error: unknown) => error,
    );
    await until(() => runs('3006.25'), 120);
    proxy.close();
    for (const one of sockets) one.destroy();
    expect(await building).toMatchObject({ code: 'engines/died', exit: 4 });
    await until(async () => !(await runs('3006.25')));
    expect(await filesUnder(dist('classic'))).toEqual(before);
    expect(await filesUnder(`${dist('classic')}.lock`)).toEqual([]);
    expect(await build(project, none, { host, layout: dist('classic') })).toMatchObject({ $case: 'unchanged' });
    await slow.remove();
  });

  test('Ctrl-C ends the engine’s step, says so in one error, and leaves no lock, file or image', async () => {
    const slow = await sleeper('3005.25');
    const { child, ended } = await startIn(slow, ['build', 'small']);
    await until(() => runs('3005.25'), 120);
    child.kill('SIGINT');
    const { code, stdout, stderr } = await ended;
    expect([4, 130]).toContain(code);
    expect(stderr).toContain('cli/interrupted');
    expect(stdout).toBe('');
    await until(async () => !(await runs('3005.25')));
    expect(await leftovers(slow)).toEqual([]);
    await slow.remove();
  });

  test('a missing and a linked context file end it before any engine, both named', async () => {
    const broken = await makeProject(lab);
    await unlink(join(broken.root, 'images/small/rootfs/note'));
    await unlink(join(broken.root, 'images/small/build-ca/README'));
    await symlink('/etc/hostname', join(broken.root, 'images/small/build-ca/README'));
    const { code, stderr } = await (await startIn(broken, ['build', 'small'])).ended;
    expect(code).toBe(2);
    expect(stderr).toContain('images/small/rootfs/note is missing');
    expect(stderr).toContain('images/small/build-ca/README is a symbolic link');
    expect(await filesUnder(join(broken.root, 'dist'))).toEqual([]);
    await broken.remove();
  });

  test('a gh tarball with other bytes ends it, and the error names what was expected', async () => {
    const tampered = await makeProject(lab);
    const tarball = Buffer.from('not what GitHub released');
    const { ca, certificate, key } = await makeCertificates(join(tampered.root, 'ca'));
    const server = createHttps(
      { cert: await readFile(certificate), key: await readFile(key) },
      (_request, response) => {
        response.end(tarball);
      },
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const sums = Object.entries(lab.gh.checksums).map(([name, sum]) => `${sum}  ${name}\n`);
    await tampered.write('checksums/gh.sha256', sums.join(''));
    const pins = await readFile(join(tampered.root, 'images/pins.yaml'), 'utf8');
    const gh = [
      '  gh:',
      '    kind: release',
      '    repository: https://github.com/cli/cli',
      `    version: ${lab.gh.version}`,
      "    url: 'https://github.com/cli/cli/releases/download/v{version}/gh_{version}_linux_{arch}.tar.gz'",
      '    checksumFile: checksums/gh.sha256',
      '    policy: {}',
      '    evidence: [{ kind: own-hash, source: the lab }]',
    ];
    await tampered.write('images/pins.yaml', `${pins}${gh.join('\n')}\n`);
    // The project's own fragment, on a stage that has what it needs.
    const fragment = await readFile(join(projectRoot, 'images/fragments/gh.dockerfile'), 'utf8');
    await tampered.write('images/fragments/gh.dockerfile', fragment.replace('FROM tools', 'FROM {{base.reference}}'));
    const image = await readFile(join(tampered.root, 'images/small/image.yaml'), 'utf8');
    await tampered.write('images/small/image.yaml', image.replace('[small]', '[gh]'));
    const mirror = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const mirrored: Project = { ...tampered, mirrors: { ...lab.mirrors, urls: { 'https://github.com/': mirror } } };
    const plan = await planOf(mirrored, host);
    const extraCa = await readFile(ca);
    const building = built(mirrored, docker(), {
      machine: { extraCa, networkMode: 'host' },
      plan: { ...plan, platforms: ['linux/amd64'] },
    });
    const error = await building.catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: 'engines/step-upstream',
      exit: 3,
      facts: { hint: expect.stringContaining('not what was pinned') as string },
    });
    // The step shows what was expected and that it did not match; sha256sum itself never shows what came.
    const { found } = (error as { facts: { found: string } }).facts;
    expect(found).toContain(lab.gh.checksums[`gh_${lab.gh.version}_linux_amd64.tar.gz`]);
    expect(found).toMatch(/gh\.tar\.gz: FAILED/);
    expect(await filesUnder(join(tampered.root, 'dist'))).toEqual(['small/oci-layout']);
    server.close();
    await tampered.remove();
  });
});
