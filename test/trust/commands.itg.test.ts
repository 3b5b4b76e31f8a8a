import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseImageRef, parseIndex } from '../../src/core/index.ts';
import { createRegistry } from '../../src/registry/index.ts';
import { localBuilder } from '../../src/sigstore/index.ts';
import { filesUnder, makeProject, start, startIn, type Project, type Ran } from '../flows/project.ts';
import { labPaths } from '../../src/lab/paths.ts';
import type { LabState } from '../../src/lab/state.ts';
import { fetchTools } from '../../src/lab/tools.ts';
import { useLab } from '../lab/use-lab.ts';
import { fakeHost } from '../support/fake-host.ts';
import { startKit, status, type Kit } from '../../src/lab/sigstore/kit.ts';

const workflow = 'https://github.com/o/r/.github/workflows/build.yml@refs/heads/main';

/** Nothing runs while it builds: no platform needs emulation. An npm package and a Python distribution lie in it. */
const fragment = `---
description: A file and two packages
provides: [/opt/note]
files:
  - { path: rootfs/note, mode: "0644" }
  - { path: rootfs/package.json, mode: "0644" }
  - { path: rootfs/METADATA, mode: "0644" }
---
#: final
COPY --chown=1001:0 --chmod=0664 rootfs/note /opt/note
COPY --chmod=0644 rootfs/package.json /opt/node_modules/left-pad/package.json
COPY --chmod=0644 rootfs/METADATA /opt/site-packages/demo-1.0.dist-info/METADATA
USER 1001
CMD ["/bin/true"]
`;

let lab: LabState;
let kit: Kit;
let project: Project;
let directory: string;
let trustedRoot: string;
let reference: string;
let digest: string;

const run = async (args: readonly string[], env: Record<string, string> = {}): Promise<Ran> =>
  (await startIn(project, args, project.mirrors, env)).ended;

/** sign, verify and promote take no upstreams: only the project is named. */
async function plain(args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  return start([...args, '--root', project.root], env).ended;
}

const shell = (script: string, env: Record<string, string>): Promise<{ code: number; stderr: string }> =>
  new Promise((resolve) => {
    execFile('sh', ['-c', script], { env, timeout: 60_000 }, (error, _stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 255, stderr });
    });
  });

async function works(ran: Promise<Ran>): Promise<Ran> {
  const done = await ran;
  expect(done.code, done.stderr).toBe(0);
  return done;
}

const services = (): string[] => [
  ...['--fulcio', kit.url, '--rekor', kit.url, '--tsa', kit.url],
  ...['--trusted-root', trustedRoot],
];
const caller = ['--repository', 'https://github.com/o/r', '--ref', 'refs/heads/main', '--trigger', 'push'];
/** Built by hand, signed as a workflow: the policy says so. */
const builder = ['--builder', localBuilder];
const who = (): string[] => ['--trusted-root', trustedRoot, '--identity', workflow, ...caller, ...builder];

interface Evidence {
  readonly digest: string;
  readonly platforms: readonly { readonly platform: string; readonly manifest: string }[];
  readonly builds: readonly { readonly platform: string; readonly engine: { readonly version: string } }[];
  readonly gate?: { readonly passed: boolean };
  readonly signedWithoutGate?: string;
  readonly attachments: readonly { readonly predicateType: string }[];
  readonly sboms: readonly { readonly platform: string; readonly components: number }[];
  readonly verification?: { readonly ok: boolean; readonly signer: string };
}
const evidence = async (): Promise<Evidence> =>
  JSON.parse(await readFile(join(project.root, 'dist/small/evidence.json'), 'utf8')) as Evidence;

beforeAll(async () => {
  lab = await useLab();
  kit = await startKit();
  directory = await mkdtemp(join(tmpdir(), 'trust-'));
  ({ trustedRoot } = await kit.write(directory));
  project = await makeProject(lab);
  await project.write('images/fragments/small.dockerfile', fragment);
  await project.write('images/small/rootfs/package.json', '{"name":"left-pad","version":"1.3.0","license":"WTFPL"}\n');
  await project.write('images/small/rootfs/METADATA', 'Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n');
  await works(run(['build', 'small']));
  const to = `${lab.registry}/trust-${randomBytes(4).toString('hex')}/small`;
  const published = await works(run(['publish', 'small', '--to', to, '--skip-gate', '--tag', 'v1', '--json']));
  ({ reference, digest } = JSON.parse(published.stdout) as { reference: string; digest: string });
});
afterAll(async () => {
  await project.remove();
  await kit.close();
  await rm(directory, { recursive: true, force: true });
});

describe('the way from a build to a proven tag, command by command', () => {
  test('build records the engine, and publishing without a gate records none', async () => {
    expect(await evidence()).toMatchObject({
      digest,
      builds: ['linux/amd64', 'linux/arm64'].map((platform) => ({ platform, engine: { product: 'Docker Engine' } })),
    });
    expect((await evidence()).gate).toBeUndefined();
  });

  test('sign refuses what no gate let through: exit 2, and nothing was asked of anybody', async () => {
    const before = { ...kit.counts };
    const ran = await plain(['sign', reference, ...services()], kit.ciEnvironment());
    expect({ code: ran.code, stdout: ran.stdout }).toEqual({ code: 2, stdout: '' });
    expect(ran.stderr).toContain('trust/no-gate');
    expect(ran.stderr).toContain('--without-gate');
    expect(kit.counts).toEqual(before);
  });

  test.each(['fulcio', 'rekor', 'tsa', 'oidc'] as const)(
    'sign cuts off an answer of %s that never ends: exit 3, and nothing is attached',
    async (service) => {
      kit.fail(service, () => 'endless');
      const ran = await plain(['sign', reference, ...services(), '--without-gate', 'a test'], kit.ciEnvironment());
      kit.fail(service, status(200), 0);
      expect({ code: ran.code, stdout: ran.stdout }).toEqual({ code: 3, stdout: '' });
      expect(ran.stderr).toMatch(/expected: an answer of at most \d+ bytes, .*\n +found: +more than/);
      expect(await evidence()).toMatchObject({ attachments: [] });
    },
  );

  test('sbom lists both platforms’ packages, the same bytes each time', async () => {
    const layout = `oci:${join(project.root, 'dist/small')}`;
    await works(run(['sbom', layout, '--output', join(directory, 'one')]));
    await works(run(['sbom', layout, '--output', join(directory, 'two'), '--platform', 'linux/arm64']));
    expect(await filesUnder(join(directory, 'one'))).toEqual(['amd64.cdx.json', 'arm64.cdx.json']);
    const text = await readFile(join(directory, 'one/arm64.cdx.json'), 'utf8');
    expect(text).toBe(await readFile(join(directory, 'two/arm64.cdx.json'), 'utf8'));
    const { components } = JSON.parse(text) as { components: { purl: string }[] };
    const purls = components.map(({ purl }) => purl);
    expect(purls).toEqual(expect.arrayContaining(['pkg:npm/left-pad@1.3.0', 'pkg:pypi/demo@1.0']));
    expect(purls.filter((purl) => purl.startsWith('pkg:deb/')).length).toBeGreaterThan(20);
  });

  test('with the evidence of a gate that passed elsewhere it is signed, attested and proven', async () => {
    const record = join(directory, 'evidence.json');
    const gate = { passed: true, at: new Date().toISOString(), errors: 0, warnings: 0, waived: 0, broken: [] };
    const known = await evidence();
    const checks = [{ check: 'probe/health', state: 'passed' }];
    const runs = known.platforms.map((image) => ({ ...image, at: gate.at, errors: 0, checks }));
    await writeFile(record, JSON.stringify({ ...known, gate, runs }));
    const env = kit.ciEnvironment();
    await works(plain(['sign', reference, ...services(), '--evidence', record], env));
    await works(run(['attest', reference, '--variant', 'small', ...services()], env));
    // The documents that `sbom` wrote of the layout are those of the image in the registry: nothing is added.
    const written = ['--sbom', join(directory, 'one')];
    const again = await works(run(['attest', reference, '--variant', 'small', ...services(), ...written], env));
    expect(again.stdout).toMatch(/present +linux\/amd64 +https:\/\/slsa/);
    const { stdout } = await works(plain(['verify', reference, ...who(), '--json']));
    const report = JSON.parse(stdout) as { ok: boolean; nodes: { name: string; missing: string[] }[] };
    expect(report).toMatchObject({ ok: true });
    expect(report.nodes.map(({ name }) => name)).toEqual(['index', 'linux/amd64', 'linux/arm64']);
    const kept = await evidence();
    expect(kept.attachments.length).toBeGreaterThanOrEqual(5);
    expect(kept.sboms.map(({ platform }) => platform).sort()).toEqual(['linux/amd64', 'linux/arm64']);
    expect(kept.verification).toMatchObject({ ok: true });
    expect(kept.verification?.signer).toContain(workflow);
  });

  test('with a reason instead of a gate the reason is kept', async () => {
    const env = kit.ciEnvironment();
    const ran = await works(plain(['sign', reference, ...services(), '--without-gate', 'a test of the lab'], env));
    expect(ran.stderr).toContain('without a recorded gate: a test of the lab');
    expect((await evidence()).signedWithoutGate).toBe('a test of the lab');
  });

  test('the provenance names the engine that built each platform, with its version', async () => {
    const registry = createRegistry(fakeHost());
    const { registry: host, repository, digest: subject } = parseImageRef(reference);
    if (subject === undefined) throw new TypeError('a reference without digest');
    const repo = { registry: host, repository };
    const statements: { predicateType: string; predicate: Record<string, unknown> }[] = [];
    for (const { fetched } of (await registry.referrers(repo, subject)).referrers)
      for (const blob of fetched.node.blobs.slice(-1)) {
        const bytes: Buffer[] = [];
        for await (const chunk of registry.blob(repo, blob)) bytes.push(chunk as Buffer);
        const bundle = JSON.parse(Buffer.concat(bytes).toString()) as { dsseEnvelope: { payload: string } };
        statements.push(JSON.parse(Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString()) as never);
      }
    const provenance = statements.find(({ predicateType }) => predicateType === 'https://slsa.dev/provenance/v1');
    const { builds } = await evidence();
    for (const { engine } of builds) expect(engine.version).toMatch(/^\d+\.\d+/);
    expect(provenance?.predicate).toMatchObject({ buildDefinition: { internalParameters: { builds } } });
  });

  test('every command line that publish prints for consumers, run as a shell takes it, is proof by the real cosign', async () => {
    const to = reference.split('@')[0] ?? '';
    const said = await works(run(['publish', 'small', '--to', to, '--skip-gate', '--identity', workflow, ...caller]));
    const lines = said.stdout.split('\n').flatMap((line) => /^ {2}(cosign .*)$/.exec(line)?.[1] ?? []);
    // Every node signed and with provenance, every image with its SBOM.
    expect(lines).toHaveLength(8);
    const { cosign } = await fetchTools(labPaths().cache, ['cosign']);
    for (const line of lines) {
      // Whoever has the public instance's image needs no root of his own; this one was signed by an instance of ours.
      const [name, verb, ...rest] = line.split(' ');
      const script = [name, verb, `--trusted-root '${trustedRoot}'`, ...rest].join(' ');
      const path = `${dirname(cosign?.path ?? '')}:/usr/bin:/bin`;
      const outcome = await shell(script, { PATH: path, HOME: directory, DOCKER_CONFIG: directory });
      expect(outcome.code, `${line}\n${outcome.stderr}`).toBe(0);
    }
  });

  test('promote moves a tag in a second repository, and there it is proven, too', async () => {
    const to = `${lab.registry}/trust-${randomBytes(4).toString('hex')}/released:stable`;
    const first = await works(plain(['promote', reference, to, ...who(), '--json']));
    expect(JSON.parse(first.stdout)).toMatchObject({ digest, move: { moved: true, after: digest } });
    await works(plain(['verify', to, ...who()]));
    const second = await works(plain(['promote', reference, to, ...who(), '--json']));
    expect(JSON.parse(second.stdout)).toMatchObject({ move: { moved: false } });
  });
});

describe('tampering', () => {
  /** Copies the tree without what is attached to one image, as somebody who rewrites a registry would. */
  test('an image whose proofs were taken away is named, with its platform: exit 1, and it is not promoted', async () => {
    const registry = createRegistry(fakeHost());
    const { registry: host, repository, digest: root } = parseImageRef(reference);
    if (root === undefined) throw new TypeError('a reference without digest');
    const from = { registry: host, repository };
    const to = { registry: host, repository: `trust-${randomBytes(4).toString('hex')}/stripped` };
    await registry.copy(from, to, root);
    const index = parseIndex((await registry.manifest({ ...from, digest: root })).bytes);
    const arm64 = index.manifests.find(({ platform }) => platform?.architecture === 'arm64');
    if (arm64 === undefined) throw new TypeError('no arm64');
    const tag = arm64.digest.replace(':', '-');
    const empty = Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [] }),
    );
    await registry.put(to, empty, 'application/vnd.oci.image.index.v1+json', tag);
    const stripped = `${to.registry}/${to.repository}@${root}`;
    const ran = await plain(['verify', stripped, ...who()]);
    expect(ran.code).toBe(1);
    const lines = ran.stdout.split('\n').filter((line) => /^(proven|LACKS)/.test(line));
    expect(lines.map((line) => line.split(/\s+/).slice(0, 2))).toEqual([
      ['proven', 'index'],
      ['proven', 'linux/amd64'],
      ['LACKS', 'linux/arm64'],
    ]);
    expect(ran.stdout).toContain(arm64.digest);
    const target = `${host}/trust-${randomBytes(4).toString('hex')}/released:stable`;
    const promoted = await plain(['promote', stripped, target, ...who()]);
    expect(promoted.code).toBe(1);
    expect(promoted.stderr).toContain('trust/unverified');
    expect(promoted.stderr).toContain('linux/arm64');
  });
});

describe('sbom diff', () => {
  test('says what changed between two builds: exit 1, and exit 0 for an image and itself', async () => {
    const layout = `oci:${join(project.root, 'dist/small')}`;
    const amd64 = ['--platform', 'linux/amd64'];
    const same = await run(['sbom', 'diff', layout, reference, ...amd64]);
    expect(same).toMatchObject({ code: 0, stdout: '0 added, 0 removed, 0 changed (linux/amd64)\n' });
    const next = await makeProject(lab);
    try {
      await next.write('images/fragments/small.dockerfile', fragment);
      await next.write('images/small/rootfs/package.json', '{"name":"left-pad","version":"1.3.1"}\n');
      await next.write('images/small/rootfs/METADATA', 'Metadata-Version: 2.1\nName: other\nVersion: 1.0\n');
      const built = await (await startIn(next, ['build', 'small'])).ended;
      expect(built.code, built.stderr).toBe(0);
      const { code, stdout } = await run(['sbom', 'diff', reference, `oci:${join(next.root, 'dist/small')}`, ...amd64]);
      expect(code).toBe(1);
      expect(stdout.trim().split('\n').slice(1)).toEqual([
        'changed  npm/left-pad  1.3.0  1.3.1  every',
        'removed  pypi/demo     1.0           every',
        'added    pypi/other           1.0    every',
      ]);
    } finally {
      await next.remove();
    }
  });
});
