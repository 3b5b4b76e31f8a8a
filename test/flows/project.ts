import { spawn, type ChildProcess } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Mirrors, Plan } from '../../src/core/index.ts';
import { buildLayout, type BuildOptions, type BuildResult } from '../../src/flows/build/index.ts';
import { buildPlan } from '../../src/flows/plan.ts';
import { createHost, type Host } from '../../src/host/index.ts';
import { createRegistry, type Registry } from '../../src/registry/index.ts';
import type { LabState } from '../../src/lab/state.ts';

export const projectRoot = fileURLToPath(new URL('../..', import.meta.url));
export const commit = 'c0ffee'.padEnd(40, '0');
const identity = { GIT_COMMIT: commit, SOURCE_DATE_EPOCH: '1750000000' };

const step = `RUN --mount=type=bind,source=build-ca,target=/run/build-ca \\
    set -eu; \\
    test -s /run/build-ca/extra.pem; \\
    install -d -o 1001 -g 0 -m 2775 /opt/made; \\
    uname -m > /opt/made/machine; \\
    ln /opt/made/machine /opt/made/again; \\
    ln -s machine /opt/made/link; \\
    touch -d 2001-02-03T04:05:06Z /opt/made/old; \\
    rm /etc/issue
`;

/** The image has what engines tell differently: a hard link, a setgid directory, a removed file, every kind of setting. */
export const smallFragment = (run = step): string => `---
description: A file, a step and what it leaves
provides: [/opt/note]
files:
  - { path: rootfs/note, mode: "0644" }
---
#: stage
FROM {{base.reference}} AS first
RUN mkdir /out; echo staged > /out/staged
#: final
COPY --chown=1001:0 --chmod=0664 rootfs/note /opt/note
${run}COPY --from=first --chown=0:0 --chmod=0755 /out/staged /opt/staged
ENV GREETING="hello world" \\
    EMPTY=
EXPOSE 8001
WORKDIR /opt/made
USER 1001
ENTRYPOINT ["/bin/sh", "-c"]
CMD ["exec sleep 1000"]
`;

/** Nothing runs while it builds, so that no platform needs emulation; what it gives breaks the contract in many ways. */
export const copyFragment = `---
description: A file
provides: [/opt/note]
files:
  - { path: rootfs/note, mode: "0644" }
---
#: final
COPY --chown=1001:0 --chmod=0664 rootfs/note /opt/note
USER 1001
CMD ["/bin/true"]
`;

const image = `image: small
profile: standard
platforms: [linux/amd64, linux/arm64]
base: ubi10
fragments: [small]
labels:
  org.opencontainers.image.source: https://example.com/small
  org.opencontainers.image.vendor: Example
  org.opencontainers.image.licenses: Apache-2.0
variants:
  - name: small
    repository: quay.io/example/small
    title: A small image
    description: What the pipeline's own tests build
    agents: []
`;

const pins = (lab: LabState, isLab: boolean): string => `lab: ${isLab}
pins:
  ubi10:
    kind: image
    repository: registry.access.redhat.com/ubi10/ubi
    version: '10'
    digest: ${lab.images.base.digest}
    platforms: ${JSON.stringify(lab.images.base.platforms)}
    policy: {}
    evidence: [{ kind: registry-digest, source: the lab's stand-in }]
`;

/** Project is a project of its own in a temporary place: one image on the lab's base. */
export interface Project {
  readonly root: string;
  readonly lab: LabState;
  readonly mirrors: Mirrors;
  /** Writes a file of the project, by its path inside it. */
  write(path: string, content: string): Promise<void>;
  remove(): Promise<void>;
}

export async function makeProject(lab: LabState, options: { readonly lab?: boolean } = {}): Promise<Project> {
  const root = await mkdtemp(join(tmpdir(), 'pipeline-'));
  const write = async (path: string, content: string): Promise<void> => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  };
  await write('package.json', '{ "version": "1.2.3" }\n');
  await write('images/pins.yaml', pins(lab, options.lab ?? true));
  await write('images/fragments/small.dockerfile', smallFragment());
  await write('images/small/image.yaml', image);
  await write('images/small/build-ca/README', 'Certificates that a build trusts.\n');
  await write('images/small/rootfs/note', 'a note\n');
  await cp(join(projectRoot, 'images/contract'), join(root, 'images/contract'), { recursive: true });
  return { root, lab, mirrors: lab.mirrors, write, remove: () => rm(root, { recursive: true, force: true }) };
}

/** hostOf is the real host with a repository's facts in its environment, where the project has none. */
export const hostOf = (env: Record<string, string> = {}): Host => {
  const host = createHost({ quiet: true });
  return { ...host, env: { ...process.env, ...identity, ...env } };
};

export const planOf = (project: Project, host: Host = hostOf()): Promise<Plan> =>
  buildPlan(host, { root: project.root, variant: 'small', mirrors: project.mirrors });

export const registryOf = (project: Project, host: Host = hostOf()): Registry =>
  createRegistry(host, { mirrors: project.mirrors });

/** The extra CA that builds are given: what it holds must be found in no layer. */
export const marker = 'bm8gbGF5ZXIgbWF5IGhvbGQgdGhpcyBsaW5l';
export const extraCa = `-----BEGIN CERTIFICATE-----\n${marker}\n-----END CERTIFICATE-----\n`;

/** build runs the flow as the command does; `layout` is dist/small of the project unless named. */
export async function build(
  project: Project,
  engine: BuildOptions['engine'],
  options: Partial<BuildOptions> & { readonly host?: Host } = {},
): Promise<BuildResult> {
  const { host = hostOf(), ...rest } = options;
  return buildLayout(host, {
    root: project.root,
    plan: rest.plan ?? (await planOf(project, host)),
    layout: join(project.root, 'dist/small'),
    registry: registryOf(project, host),
    engine,
    machine: { extraCa: Buffer.from(extraCa), networkMode: 'host' },
    ...rest,
  });
}

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ran>;
}

/** start runs the command as a user does: another process, with arguments and exit code. */
export function start(args: readonly string[], env: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, [join(projectRoot, 'bin/runner-image.mjs'), ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<Ran>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      resolve({ code, stdout, stderr });
    });
  });
  return { child, ended };
}

/** command gives the arguments that point a command at the project, and what they need on the disk. */
export async function startIn(
  project: Project,
  args: readonly string[],
  mirrors = project.mirrors,
  env: Record<string, string> = {},
): Promise<Running> {
  const [mirrorFile, caFile] = [join(project.root, 'mirrors.json'), join(project.root, 'extra.pem')];
  await writeFile(mirrorFile, JSON.stringify(mirrors));
  await writeFile(caFile, extraCa);
  const where = ['--root', project.root, '--mirrors', mirrorFile, '--extra-ca', caFile];
  return start([...args, ...where, '--endpoint', project.lab.docker.classic], { ...identity, ...env });
}

/** Everything that lies in a folder, at every depth, by path; empty where there is no such folder. */
export async function filesUnder(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
}
