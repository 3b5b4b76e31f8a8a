import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOf, hexOf, labelNames, type Descriptor, type Digest } from '../../src/core/index.ts';
import { inputTag } from '../../src/flows/build/index.ts';
import { attestTree, signTree, type SigningContext } from '../../src/flows/trust/index.ts';
import { createRegistry } from '../../src/registry/index.ts';
import { identityToken, keylessSigner, makeProvenance } from '../../src/sigstore/index.ts';
import { copyFragment, makeProject, planOf, projectRoot, type Project } from '../flows/project.ts';
import type { LabState } from '../../src/lab/state.ts';
import { fakeHost } from '../support/fake-host.ts';
import { startMemoryRegistry, type Fault, type MemoryRegistry } from '../support/registries/memory-registry.ts';
import { StoredRepository } from '../support/registries/memory-store.ts';
import { labelledImage, type LabelledImage } from '../support/sigstore/image.ts';
import { startKit, type Kit } from '../../src/lab/sigstore/kit.ts';
import { callerOptions, sbomFor, servicesOf, verifierFor, workflow } from '../sigstore/stage.ts';

export interface Ended {
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Place {
  /** `127.0.0.1:port/run-7`: where this run's repositories lie. */
  readonly at: string;
  readonly root: string;
  readonly digest: Digest;
}

export interface Exits {
  /**
   * Runs a command in repositories of its own; `fault` sees their requests alone, and `signal` interrupts it. `built`:
   * the image's layout lies in dist/small.
   */
  run(
    args: (place: Place) => readonly string[],
    fault: Fault,
    options?: { readonly built?: boolean | undefined; readonly signal?: AbortSignal | undefined },
  ): Promise<Ended>;
  readonly who: readonly string[];
  readonly services: readonly string[];
  close(): Promise<void>;
}

async function writeLayout(directory: string, image: LabelledImage, stored: StoredRepository): Promise<void> {
  const blobs = join(directory, 'blobs/sha256');
  await mkdir(blobs, { recursive: true });
  const all = [...stored.blobs, ...[...stored.manifests].map(([name, { bytes }]) => [name, bytes] as const)];
  for (const [digest, bytes] of all) await writeFile(join(blobs, hexOf(digest as Digest)), bytes);
  await writeFile(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(join(directory, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [image.root] }));
}

/** Every run gets a copy of these repositories, so that none sees what another one did. */
function copyOf(given: StoredRepository): StoredRepository {
  const copy = new StoredRepository();
  for (const kind of ['blobs', 'manifests', 'tags'] as const)
    for (const [key, value] of given[kind]) (copy[kind] as Map<string, unknown>).set(key, value);
  return copy;
}

/** The image with annotations on its index, as `build` writes them. */
async function annotated(image: LabelledImage, annotations: Record<string, string>): Promise<LabelledImage> {
  const index = JSON.parse(Buffer.from(await image.source.manifest(image.root)).toString()) as object;
  const bytes = Buffer.from(JSON.stringify({ ...index, annotations }));
  const root = { ...image.root, digest: digestOf(bytes), size: bytes.length };
  const manifest = async (node: Descriptor) => (node.digest === root.digest ? bytes : image.source.manifest(node));
  return { ...image, root, source: { ...image.source, manifest } };
}

/** The image, signed and attested on every node, as the one thing that is pushed once. */
async function prove(kit: Kit, server: MemoryRegistry, project: Project, image: LabelledImage): Promise<void> {
  const host = fakeHost({ now: new Date(), env: kit.ciEnvironment() });
  const registry = createRegistry(host);
  const plan = await planOf(project);
  const repo = { registry: server.host, repository: 'proven' };
  await registry.push(repo, image.root, image.source);
  for (const tag of ['v1', inputTag(plan)]) await registry.moveTag({ ...repo, tag }, image.root.digest);
  server.store.repositories.set('plain', copyOf(server.store.repository('proven')));
  const signer = keylessSigner(host, servicesOf(kit), async () => identityToken(host));
  const signing: SigningContext = { host, registry, signer, verifier: await verifierFor(kit) };
  const ref = { ...repo, digest: image.root.digest };
  await signTree(signing, ref);
  const provenance = makeProvenance({ plan, site: { builder: workflow }, toolVersion: '1.2.3' });
  const sboms = new Map([image.amd64, image.arm64].map(({ digest }) => [digest, sbomFor(digest)]));
  await attestTree(signing, ref, { provenance: () => provenance, sboms, inputDigest: plan.inputDigest });
}

/** startExits holds a proven and a plain image in a registry in memory, a Sigstore, and a project whose base lies there. */
export async function startExits(): Promise<Exits> {
  const faults = new Map<string, Fault>();
  const kit = await startKit();
  const server = await startMemoryRegistry({
    referrers: 'api',
    pageSize: 2,
    fault: (request, response, path) =>
      faults.get(/\/run-\d+\//.exec(path)?.[0] ?? '')?.(request, response, path) ?? false,
  });
  const base = labelledImage({}, 'base');
  const platforms = Object.fromEntries([base.amd64, base.arm64].map((node) => [platformOf(node), node.digest]));
  const lab = { images: { base: { digest: base.root.digest, platforms } }, mirrors: { images: {}, urls: {} } };
  const registry = createRegistry(fakeHost());
  const origin = { registry: server.host, repository: 'ubi10/ubi' };
  await registry.push(origin, base.root, base.source);
  for (const tag of ['10', '10.0', '10.1']) await registry.moveTag({ ...origin, tag }, base.root.digest);
  const mirrored = (prefix: string): Record<string, string> => ({
    'registry.access.redhat.com': `${server.host}${prefix}`,
  });
  const project = await makeProject({ ...lab, mirrors: { images: mirrored(''), urls: {} } } as unknown as LabState, {
    lab: false,
  });
  await project.write('images/fragments/small.dockerfile', copyFragment);
  const plan = await planOf(project);
  const image = await annotated(
    labelledImage({ [labelNames.inputDigest]: plan.inputDigest, [labelNames.revision]: '0'.repeat(40) }, 'exits'),
    {
      [labelNames.inputDigest]: plan.inputDigest,
    },
  );
  await prove(kit, server, project, image);
  const directory = await mkdtemp(join(tmpdir(), 'exits-'));
  const { trustedRoot } = await kit.write(directory);
  await writeLayout(join(directory, 'layout'), image, server.store.repository('plain'));
  const env = {
    ...process.env,
    ...kit.ciEnvironment(),
    GIT_COMMIT: 'c0ffee'.padEnd(40, '0'),
    SOURCE_DATE_EPOCH: '1750000000',
    HOME: directory,
    DOCKER_CONFIG: directory,
    NODE_OPTIONS: `--import ${join(projectRoot, 'test/exits/quick-timers.mjs')}`,
  };
  let runs = 0;
  return {
    who: ['--trusted-root', trustedRoot, '--identity', workflow, ...callerOptions],
    services: ['--fulcio', kit.url, '--rekor', kit.url, '--tsa', kit.url, '--trusted-root', trustedRoot],
    async run(args, fault, { built = false, signal } = {}) {
      const name = `run-${runs++}`;
      for (const repository of ['proven', 'plain', 'ubi10/ubi'])
        server.store.repositories.set(`${name}/${repository}`, copyOf(server.store.repository(repository)));
      faults.set(`/${name}/`, fault);
      const root = join(directory, name);
      await cp(project.root, root, { recursive: true });
      if (built) await cp(join(directory, 'layout'), join(root, 'dist/small'), { recursive: true });
      await writeFile(join(root, 'mirrors.json'), JSON.stringify({ images: mirrored(`/${name}`), urls: {} }));
      const given = args({ at: `${server.host}/${name}`, root, digest: image.root.digest });
      const ended = await command([...given, '--root', root], env, signal);
      faults.delete(`/${name}/`);
      await rm(root, { recursive: true, force: true });
      return { ...ended, stdout: ended.stdout.replaceAll(name, 'run') };
    },
    async close() {
      await Promise.all([server.close(), kit.close(), project.remove()]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

const platformOf = ({ platform }: Descriptor): string => `${platform?.os ?? ''}/${platform?.architecture ?? ''}`;

/** A minute is far more than any of them takes: one that is still there then hangs. */
function command(args: readonly string[], env: NodeJS.ProcessEnv, signal?: AbortSignal): Promise<Ended> {
  return new Promise((resolve) => {
    const file = join(projectRoot, 'bin/runner-image.mjs');
    const child = execFile(
      process.execPath,
      [file, ...args],
      { env, timeout: 60_000, killSignal: 'SIGKILL' },
      (error, stdout, stderr) => {
        const { code, signal: by } = { code: error?.code, signal: error?.signal };
        resolve({ code: by ?? (typeof code === 'number' ? code : error === null ? 0 : String(code)), stdout, stderr });
      },
    );
    signal?.addEventListener('abort', () => child.kill('SIGINT'));
  });
}
