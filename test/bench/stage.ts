import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { Readable } from 'node:stream';
import type { Plan } from '../../src/core/index.ts';
import { AppError } from '../../src/errors/index.ts';
import type { CreatedHost } from '../../src/host/index.ts';
import { buildPlan } from '../../src/flows/plan.ts';
import { contextSource } from '../../src/engines/index.ts';
import { labPaths, projectRoot, type LabState } from '../../src/lab/index.ts';
import { run } from '../../src/lab/run.ts';
import { startDockerRegistry, type DockerRegistry } from '../support/registries/docker-registry.ts';
import type { FoundPeers, Peers } from './peers.ts';
import type { Command } from './types.ts';

export interface StageOptions {
  readonly host: CreatedHost;
  readonly lab: LabState;
  readonly found: FoundPeers;
  readonly quick: boolean;
  readonly variant: string;
  readonly say: (line: string) => void;
}

/** Buildah binds its store onto itself: what is mounted below goes first, deepest first. */
async function removeTree(directory: string): Promise<void> {
  const mounts = await readFile('/proc/self/mounts', 'utf8').catch(() => '');
  const points = mounts.split('\n').map((line) => (line.split(' ')[1] ?? '').replaceAll('\\040', ' '));
  for (const point of points.filter((path) => path.startsWith(`${directory}/`)).reverse())
    await run('umount', ['--lazy', point]).catch(() => undefined);
  await rm(directory, { recursive: true, force: true });
}

/** sweep removes what a run that was killed outright left behind. */
export async function sweep(directory: string): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    const pid = /^run-(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) await removeTree(join(directory, name));
  }
}

/**
 * Stage is what several cases work on, made when first asked for and removed in the end. Our own
 * commands run on a clone of the project, so that the user's dist/ is neither used nor changed.
 */
export class Stage {
  readonly host: CreatedHost;
  readonly lab: LabState;
  readonly peers: Peers;
  readonly quick: boolean;
  readonly variant: string;
  readonly say: (line: string) => void;
  /** Large and short-lived: beside the lab's cache, where there is room. */
  readonly directory: string;
  private readonly buildx: string | undefined;
  private readonly made = new Map<string, Promise<unknown>>();
  private readonly undo: (() => Promise<unknown>)[] = [];

  constructor({ host, lab, found, quick, variant, say }: StageOptions) {
    this.host = host;
    this.lab = lab;
    this.peers = found.peers;
    this.buildx = found.buildx;
    this.quick = quick;
    this.variant = variant;
    this.say = say;
    this.directory = join(lab.cache, 'bench', `run-${process.pid}`);
    host.onExit(() => this.close());
  }

  /** once memoises the promise: two cases that need the same thing wait for the same making of it. */
  once<T>(key: string, make: () => Promise<T>): Promise<T> {
    const known = this.made.get(key) as Promise<T> | undefined;
    if (known !== undefined) return known;
    const fresh = make();
    this.made.set(key, fresh);
    return fresh;
  }

  /** Registers what takes something away again; last registered, first done. */
  later(work: () => Promise<unknown>): void {
    this.undo.push(work);
  }

  async close(): Promise<void> {
    for (const work of this.undo.splice(0).reverse())
      await work().catch((error: unknown) => {
        this.say(`clean-up: ${String(error)}`);
      });
    await removeTree(this.directory);
  }

  async path(...parts: readonly string[]): Promise<string> {
    const path = join(this.directory, ...parts);
    await mkdir(join(path, '..'), { recursive: true });
    return path;
  }

  /** A clone of the committed project with a dist/ of its own. */
  project(name: string): Promise<string> {
    return this.once(`project ${name}`, async () => {
      const path = await this.path('projects', name);
      await run('git', ['clone', '--quiet', '--shared', projectRoot, path]);
      // The lab's pins name its checksum files relative to the project.
      const lab = relative(projectRoot, labPaths().lab);
      if (!lab.startsWith('..')) await symlink(labPaths().lab, join(path, lab));
      return path;
    });
  }

  /** Our command as users start it: node, the bundle, the project. */
  ours(project: string, args: readonly string[], accepts?: readonly number[]): Command {
    const program = join(projectRoot, 'bin', 'runner-image.mjs');
    const argv = [process.execPath, program, ...args, '--lab', '--root', project, '--quiet'] as const;
    return { argv: [...argv], cwd: project, ...(accepts === undefined ? {} : { accepts }) };
  }

  /** Runs a command that is not measured. */
  async do(command: Command): Promise<string> {
    const [program, ...args] = command.argv;
    return await run(program, args, { env: command.env, cwd: command.cwd });
  }

  /** The layout of both platforms, built once; what lies in the user's dist/ is linked when it is the same. */
  layout(variant = this.variant): Promise<{ readonly project: string; readonly directory: string }> {
    return this.once(`layout ${variant}`, async () => {
      const project = await this.project('main');
      const directory = join(project, 'dist', variant);
      const there = join(projectRoot, 'dist', variant);
      if (existsSync(join(there, 'index.json'))) {
        await mkdir(join(directory, '..'), { recursive: true });
        await run('cp', ['--archive', there, directory]);
      }
      this.say(`building ${variant} for both platforms, unless it is there`);
      const command = this.ours(project, ['build', variant]);
      await this.do(command);
      return { project, directory };
    });
  }

  plan(variant = this.variant): Promise<Plan> {
    return this.once(`plan ${variant}`, async () => {
      const root = await this.project('main');
      return await buildPlan(this.host, { root, variant, pinsFile: this.lab.pins, mirrors: this.lab.mirrors });
    });
  }

  /** The same context and Dockerfile that our engines get, as a directory for the peers. */
  context(variant = this.variant): Promise<string> {
    return this.once(`context ${variant}`, async () => {
      const [plan, root] = [await this.plan(variant), await this.project('main')];
      const source = await contextSource(this.host, {
        root,
        files: plan.context,
        dockerfile: plan.dockerfile.text,
        mtime: plan.sourceDateEpoch,
        extraCa: await this.host.files.read(this.lab.extraCa),
      });
      const directory = await this.path('contexts', variant);
      await mkdir(directory);
      const tar: Buffer[] = [];
      for await (const chunk of source()) tar.push(Buffer.from(chunk as Uint8Array));
      await run('tar', ['-x', '-C', directory], { input: Readable.from(tar) });
      if (!existsSync(join(directory, 'Dockerfile')))
        throw new AppError('bench/context', 'machine', 'the context holds no Dockerfile');
      return directory;
    });
  }

  /** `--build-arg` for all that a build of ours passes. */
  async buildArgs(variant = this.variant): Promise<string[]> {
    const { buildArgs } = await this.plan(variant);
    return Object.entries({ ...this.lab.proxies, ...buildArgs }).flatMap(([key, value]) => [
      '--build-arg',
      `${key}=${value}`,
    ]);
  }

  /** Environment for the docker command: the lab's daemon, and nothing of the user's configuration. */
  docker(): Promise<Record<string, string>> {
    return this.once('docker', async () => {
      const config = await this.path('docker-config', 'config.json');
      await writeFile(config, '{}');
      if (this.buildx !== undefined) {
        await mkdir(join(config, '..', 'cli-plugins'));
        await symlink(this.buildx, join(config, '..', 'cli-plugins', 'docker-buildx'));
      }
      return { DOCKER_HOST: this.lab.docker.classic, DOCKER_CONFIG: join(config, '..'), DOCKER_BUILDKIT: '1' };
    });
  }

  /** A registry with no data, in place of the one before it. */
  async freshRegistry(): Promise<DockerRegistry> {
    await this.made.get('registry')?.then((registry) => (registry as DockerRegistry).close());
    this.made.delete('registry');
    return await this.registry();
  }

  registry(): Promise<DockerRegistry> {
    return this.once('registry', async () => {
      const registry = await startDockerRegistry();
      this.later(() => registry.close());
      // What an earlier run left to be written would be written during this one.
      await run('sync', []);
      return registry;
    });
  }
}
