import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dockerEngine, parseEndpoint } from '../../src/engines/index.ts';
import { packagesOf } from '../../src/flows/trust/index.ts';
import { createRegistry } from '../../src/registry/index.ts';
import type { Ecosystem, Package } from '../../src/sbom/index.ts';
import { build, hostOf, makeProject, planOf, startIn, type Project } from '../flows/project.ts';
import type { LabState } from '../../src/lab/state.ts';
import { useLab } from '../lab/use-lab.ts';
import { fakeHost } from '../support/fake-host.ts';

const run = promisify(execFile);

/** Real packages of the lab's servers, npm's own nested ones among them, and some laid down as an installer would. */
const fragment = `---
description: Packages of three kinds
provides: [/usr/bin/python3]
files:
  - { path: rootfs/note, mode: "0644" }
  - { path: rootfs/outer.json, mode: "0644" }
  - { path: rootfs/inner.json, mode: "0644" }
  - { path: rootfs/METADATA, mode: "0644" }
---
#: final
COPY --chmod=0644 rootfs/note /opt/note
RUN {{network}}
    dnf install -y --nodocs --setopt=install_weak_deps=0 "$@" python3 nodejs npm
COPY --chmod=0644 rootfs/outer.json /usr/local/lib/node_modules/@scope/outer/package.json
COPY --chmod=0644 rootfs/inner.json /usr/local/lib/node_modules/@scope/outer/node_modules/inner/package.json
COPY --chmod=0644 rootfs/METADATA /usr/lib/python3/dist-packages/Demo_Pack-1.0.dist-info/METADATA
`;

let lab: LabState;
let project: Project;
let image: string;
let found: readonly Package[];

const inside = async (script: string): Promise<string> => {
  const args = ['-H', lab.docker.classic, 'run', '--rm', '--entrypoint', 'bash', image, '-euc', script];
  return (await run('docker', args, { maxBuffer: 64 * 1024 * 1024 })).stdout;
};
const ours = (ecosystem: Ecosystem, where = /^/): string[] =>
  found
    .filter((one) => one.ecosystem === ecosystem && where.test(one.path))
    .map(({ name, version }) => `${name} ${version}`)
    .sort();
const lines = (text: string): string[] => text.trim().split('\n').sort();

beforeAll(async () => {
  lab = await useLab();
  project = await makeProject(lab);
  await project.write('images/fragments/small.dockerfile', fragment);
  const json = (value: object) => `${JSON.stringify(value)}\n`;
  await project.write(
    'images/small/rootfs/outer.json',
    json({ name: '@scope/outer', version: '2.0.0', dependencies: { inner: '1.x' } }),
  );
  await project.write('images/small/rootfs/inner.json', json({ name: 'inner', version: '1.5.0' }));
  await project.write('images/small/rootfs/METADATA', 'Metadata-Version: 2.1\nName: Demo_Pack\nVersion: 1.0\n');
  const host = hostOf();
  const engine = dockerEngine(host, { endpoint: parseEndpoint(lab.docker.classic) });
  const plan = { ...(await planOf(project, host)), platforms: ['linux/amd64'] as const };
  await build(project, async () => Promise.resolve(engine), {
    plan,
    machine: { networkMode: 'host', extraHosts: lab.extraHosts },
  });
  const to = `${lab.registry}/packages-${randomBytes(4).toString('hex')}/small`;
  const ran = await (
    await startIn(project, ['publish', 'small', '--platform', 'linux/amd64', '--skip-gate', '--json', '--to', to])
  ).ended;
  expect(ran.code, ran.stderr).toBe(0);
  image = (JSON.parse(ran.stdout) as { reference: string }).reference;
  const [only] = await packagesOf(fakeHost(), { image, registry: createRegistry(fakeHost()) });
  found = only?.packages ?? [];
});
afterAll(async () => {
  await run('docker', ['-H', lab.docker.classic, 'rmi', '--force', image]).catch(() => undefined);
  await project.remove();
});

test('distribution packages are those that dpkg lists inside the container', async () => {
  const theirs = lines(await inside(`dpkg-query -W -f '\${Package} \${Version}\\n'`));
  expect(theirs.length).toBeGreaterThan(60);
  expect(ours('deb')).toEqual(theirs);
});

test('npm packages are those that npm finds, global, nested, and its own, each where npm says', async () => {
  const list = (where: string) => `npm query '*' --offline --no-update-notifier ${where} | node -e '
    const all = JSON.parse(require("fs").readFileSync(0, "utf8")).filter(({ version }) => version);
    for (const { name, version } of all) console.log(name, version);'`;
  const theirs = lines(await inside(list('--global --prefix /usr/local')));
  expect(theirs).toEqual(['@scope/outer 2.0.0', 'inner 1.5.0']);
  expect(ours('npm', /^\/usr\/local\//)).toEqual(theirs);
  const own = lines(await inside(`cd "$(dirname "$(dirname "$(readlink -f /usr/bin/npm)")")"; ${list('')}`));
  expect(own.length).toBeGreaterThan(50);
  expect([...new Set(ours('npm', /^(?!\/usr\/local\/)/))]).toEqual([...new Set(own)]);
});

test('Python distributions are those that the interpreter finds', async () => {
  const script = `python3 -c '
import importlib.metadata as metadata
for found in metadata.distributions(): print(found.metadata["Name"], found.version)'`;
  const theirs = lines(await inside(script));
  expect(theirs).toContain('Demo_Pack 1.0');
  expect(ours('pypi')).toEqual(theirs);
});
