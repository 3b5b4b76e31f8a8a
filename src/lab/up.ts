import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../errors/index.ts';
import { PrivateApt } from './apt.ts';
import { startArtifactServer } from './artifact-server.ts';
import { ensureEmulation } from './binfmt.ts';
import { makeCertificates, writeExtraCa } from './certificates.ts';
import { inputsHash, makeContent, solveSets } from './content.ts';
import { freePort, isAlive, stopDaemon, type Daemon } from './daemons.ts';
import { engineVersion } from './engine-classic.ts';
import { ensureEngines } from './engines.ts';
import { host } from './host.ts';
import { writeLabPins, readImageNames } from './lab-pins.ts';
import { withLock } from './lock.ts';
import { npmRegistry, proxies } from './npm.ts';
import type { StandIn } from './oci-image.ts';
import type { Architecture } from './packages.ts';
import { labPaths } from './paths.ts';
import { pushStandIn, startRegistry } from './registry.ts';
import { readLab, type EngineKind, type LabImage, type LabState } from './state.ts';
import { down } from './down.ts';

export interface UpOptions {
  readonly engines?: readonly EngineKind[];
  readonly say?: (line: string) => void;
}

/** Ports that stay the same from lab to lab keep the base image's digest the same, too. */
const preferred = { registry: 29500, http: 29480, https: 29443 };

function hostArchitecture(): Architecture {
  if (process.arch === 'x64') return 'amd64';
  if (process.arch === 'arm64') return 'arm64';
  throw new AppError('lab/architecture', 'machine', `the lab does not run on ${process.arch}`);
}

const toLabImage = ({ repository, tag, index, manifests }: StandIn): LabImage => ({
  repository,
  tag,
  digest: index.digest,
  platforms: { 'linux/amd64': manifests.amd64.digest, 'linux/arm64': manifests.arm64.digest },
});

/** isUp asks every part: all processes there, engines and registry answering. */
export async function isUp(state: LabState): Promise<boolean> {
  for (const daemon of state.daemons) if (!(await isAlive(daemon))) return false;
  const sockets = Object.values(state.docker).map((endpoint) => endpoint.replace('unix://', ''));
  const answers = await Promise.all(sockets.map(async (socket) => (await engineVersion(socket)) !== undefined));
  if (answers.includes(false)) return false;
  return fetch(`http://${state.registry}/v2/`).then(
    (answer) => answer.ok,
    () => false,
  );
}

/** up starts the lab, or adds what is missing to a running one; a second call answers at once. */
export async function up(options: UpOptions = {}): Promise<LabState> {
  const paths = labPaths();
  return withLock(paths.lock, async () => {
    const { engines = ['classic'], say = () => undefined } = options;
    const inputs = await inputsHash();
    let before = await readLab(paths);
    if (before !== undefined && (await isUp(before))) {
      const enough = engines.every((kind) => before?.docker[kind] !== undefined);
      if (enough && before.inputs === inputs) return before;
    } else if (before !== undefined) {
      say('the lab is there but not whole: taking it down first');
      await down({ locked: true });
      before = undefined;
    }
    return start(engines, before, inputs, say);
  });
}

async function start(
  engines: readonly EngineKind[],
  before: LabState | undefined,
  inputs: string,
  say: (line: string) => void,
): Promise<LabState> {
  const paths = labPaths();
  const architecture = hostArchitecture();
  const apt = new PrivateApt(paths.cache);
  await mkdir(paths.lab, { recursive: true });
  const started: Daemon[] = [];
  try {
    say('packages: solving and fetching (cached after the first time)');
    const sets = await solveSets(apt);
    say('emulation and engines');
    const emulation = before?.emulation ?? (await ensureEmulation(apt, paths.cache, architecture, paths.id));
    const { docker, daemons, bridges } = await ensureEngines(engines, before, apt, architecture, paths);
    started.push(...daemons);
    const server = before?.daemons.find(({ name }) => name === 'artifact-server');
    if (server !== undefined) await stopDaemon(server);
    const port = async (url: string | undefined, wish: number): Promise<number> =>
      freePort(url === undefined ? wish : Number(new URL(url).port));
    const ports = {
      http: await port(before?.packages, preferred.http),
      https: await port(before?.github, preferred.https),
    };
    const packages = `http://127.0.0.1:${ports.http}`;
    say('stand-in images, Python, gh, the runner');
    const content = await makeContent(sets, paths.cache, paths.lab, packages, await readImageNames());
    say('registry and artifact server');
    const certificates = await makeCertificates(join(paths.lab, 'ca'));
    const extraCa = join(paths.lab, 'extra-ca.pem');
    await writeExtraCa(extraCa, certificates.ca);
    started.push(await startArtifactServer(paths.lab, paths.cache, content, certificates, ports));
    let registry = before?.registry;
    const kept = before?.daemons.find(({ name }) => name === 'docker-registry');
    if (kept !== undefined) started.push(kept);
    if (registry === undefined || kept === undefined) {
      const free = await freePort(preferred.registry);
      registry = `127.0.0.1:${free}`;
      started.push(await startRegistry(join(paths.lab, 'registry'), free));
    }
    for (const image of Object.values(content.images)) await pushStandIn(registry, content.store, image);
    const npm = await npmRegistry();
    const github = `https://127.0.0.1:${ports.https}`;
    const images = {
      base: toLabImage(content.images.base),
      uv: toLabImage(content.images.uv),
      supervisor: toLabImage(content.images.supervisor),
    };
    const facts = { images, gh: content.gh, python: content.python.version, runner: content.runner };
    const state: LabState = {
      version: 1,
      id: paths.id,
      inputs,
      pins: await writeLabPins(paths.lab, facts),
      mirrors: {
        images: { 'registry.access.redhat.com': registry, 'ghcr.io': registry },
        urls: { 'https://github.com/': `${github}/`, 'npm:': npm },
      },
      docker,
      registry,
      github,
      packages,
      extraCa,
      ca: certificates.ca,
      extraHosts: [],
      network: 'host',
      npmRegistry: npm,
      proxies: proxies(),
      ...facts,
      daemons: started,
      bridges,
      emulation,
      cache: paths.cache,
    };
    await host.files.write(paths.state, JSON.stringify(state, null, 2));
    return state;
  } catch (error) {
    // A lab that did not come up leaves nothing running; one that was up keeps what it had.
    const known = new Set(before?.daemons.map(({ pid }) => pid));
    for (const daemon of started.reverse()) if (!known.has(daemon.pid)) await stopDaemon(daemon);
    if (before === undefined) await down({ locked: true });
    throw error;
  }
}
