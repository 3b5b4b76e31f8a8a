import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseImageRef, type Digest, type Plan, type Platform } from '../../src/core/index.ts';
import { inputTag } from '../../src/flows/build/index.ts';
import { readSmall } from '../../src/flows/blob.ts';
import { ciPlan } from '../../src/flows/ci/index.ts';
import { ownPolicyFile } from '../../src/flows/trust/read-policy.ts';
import type { Evidence } from '../../src/evidence/index.ts';
import { joinLayouts } from '../../src/flows/join.ts';
import { pushed } from '../support/pushed.ts';
import { createHost } from '../../src/host/index.ts';
import { createRegistry, type Registry, type Repository } from '../../src/registry/index.ts';
import { predicateTypes, type Provenance } from '../../src/sigstore/index.ts';
import { root as project } from '../dockerfile/definitions.ts';
import { startMemoryRegistry, type MemoryRegistry } from '../support/registries/memory-registry.ts';
import { startKit, type Kit } from '../../src/lab/sigstore/kit.ts';
import { git, newRepository } from '../support/upstream/repository.ts';
import { stepsOf, workflowFiles } from './files.ts';
import { gated, part } from './stage.ts';

const signer = 'o/r/.github/workflows/sign.yml@refs/heads/main';
const identity = `https://github.com/${signer}`;
/** GitHub's runners of two architectures need not have the same engine. */
const engines: Readonly<Record<Platform, { readonly product: string; readonly version: string }>> = {
  'linux/amd64': { product: 'Docker Engine', version: '28.0.4' },
  'linux/arm64': { product: 'Docker Engine', version: '27.5.1' },
};
let base: string;
let tree: string;
let server: MemoryRegistry;
let registry: Registry;
let kit: Kit;
let root: { readonly trustedRoot: string };
let plans: readonly Plan[];
let digests: ReadonlyMap<string, Digest>;

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The steps of a workflow that run our command, in order, as the file has them. */
function commandsOf(name: string): readonly string[] {
  const file = workflowFiles.find((one) => one.file.endsWith(`/${name}`));
  const runs = file === undefined ? [] : stepsOf(file).flatMap(({ run }) => run ?? []);
  return runs.filter((run) => run.includes('bin/runner-image.mjs'));
}

/** A step as GitHub runs it; what is faked is the edge: the project's place, and Sigstore on loopback. */
function step(
  script: string,
  env: Readonly<Record<string, string>>,
  subject = '',
  claims: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const services = ['--fulcio', '--rekor', '--tsa'].map((name) => `${name} ${kit.url}`).join(' ');
  const online = /runner-image\.mjs (?:sign|attest)/.test(script) ? services : '';
  const text = script
    .replace(/bin\/runner-image\.mjs ((?:ci )?\w+)/, `${project}/bin/runner-image.mjs $1 --root ${tree}`)
    .replace('--online', `${online} --trusted-root ${root.trustedRoot}`);
  const variables = {
    ...{ PATH: process.env['PATH'] ?? '', HOME: base, GITHUB_ACTIONS: 'true', GITHUB_REPOSITORY: 'o/r' },
    ...{ GITHUB_STEP_SUMMARY: join(base, 'summary.md'), GITHUB_OUTPUT: join(base, 'output') },
    ...{ GITHUB_WORKFLOW_REF: 'o/r/.github/workflows/build.yml@refs/heads/main', GITHUB_REF: 'refs/heads/main' },
    ...{ GITHUB_SHA: git(tree, ['rev-parse', 'HEAD']), GITHUB_RUN_ID: '77', GITHUB_RUN_ATTEMPT: '1' },
    ...kit.ciEnvironment({ job_workflow_ref: signer, ...claims }),
    ...{ IMAGE: subject, DIGEST: subject.split('@')[1] ?? '', ...env },
  };
  return new Promise((resolve) => {
    const args = ['--noprofile', '--norc', '-eo', 'pipefail', '-c', text];
    execFile('bash', args, { cwd: tree, env: variables }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 1, stdout, stderr });
    });
  });
}

/** The project in git with two variants of the images, whose repositories are the registry of this test. */
function layTree(): void {
  mkdirSync(tree);
  for (const folder of ['images', 'checksums', 'package.json', ownPolicyFile])
    cpSync(join(project, folder), join(tree, folder), { recursive: true });
  // Two variants are enough to be "every one".
  const openshell = join(tree, 'images/openshell/image.yaml');
  writeFileSync(
    openshell,
    readFileSync(openshell, 'utf8').replace(/\n {2}- name: openshell-claude\n[^]*?(?=\n\nomitted)/, ''),
  );
  for (const image of ['openshell', 'standard']) {
    const file = join(tree, `images/${image}/image.yaml`);
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll('quay.io/', `${server.host}/`));
  }
  newRepository(tree);
  git(tree, ['add', '--all']);
  git(tree, ['commit', '--quiet', '-m', 'all of it']);
}

/** What the jobs before have left: every variant's index pushed by digest, frozen plan and gate records. */
async function publishAll(): Promise<void> {
  const host = createHost({ quiet: true });
  const commit = git(tree, ['rev-parse', 'HEAD']);
  const { frozen } = await ciPlan(host, { root: tree, event: { $case: 'default-branch', commit }, registry });
  plans = frozen.plans;
  mkdirSync(join(tree, 'run'));
  writeFileSync(join(tree, 'run/plan.json'), JSON.stringify(frozen));
  const done = new Map<string, Digest>();
  for (const plan of plans) {
    const from = [];
    for (const platform of plan.platforms)
      from.push(
        await part(base, `${plan.variant}-${platform.slice(6)}`, plan, platform, {
          body: plan.variant + platform,
          engine: engines[platform],
        }),
      );
    const layout = join(base, plan.variant);
    const { digest } = await joinLayouts(host, { plan, layout, from });
    await pushed(host, { layout, repository: plan.repository, registry, tags: [] });
    mkdirSync(join(tree, `run/gates/gate-${plan.variant}`), { recursive: true });
    writeFileSync(join(tree, `run/gates/gate-${plan.variant}/evidence.json`), JSON.stringify(await gated(layout)));
    done.set(plan.variant, digest);
  }
  digests = done;
}

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'ci-release-'));
  tree = join(base, 'project');
  [server, kit] = await Promise.all([startMemoryRegistry(), startKit()]);
  registry = createRegistry(createHost({ quiet: true }));
  root = await kit.write(join(base, 'trust'));
  layTree();
  await publishAll();
  writeFileSync(join(base, 'summary.md'), '');
  writeFileSync(join(base, 'output'), '');
});
afterAll(async () => {
  await Promise.all([server.close(), kit.close()]);
  rmSync(base, { recursive: true, force: true });
});

const tagOf = (plan: Plan, tag: string) => {
  const { registry: at, repository } = parseImageRef(plan.repository);
  return registry.tagDigest({ registry: at, repository, tag });
};
/** Every provenance that is attached to a node, its payload only: that it is signed, `verify` has shown. */
async function provenanceOn(repo: Repository, node: Digest): Promise<Provenance[]> {
  const found: Provenance[] = [];
  for (const { fetched } of (await registry.referrers(repo, node)).referrers)
    for (const blob of fetched.node.blobs.slice(-1)) {
      const bundle = JSON.parse((await readSmall(registry, repo, blob, 1 << 20)).toString()) as {
        dsseEnvelope: { payload: string };
      };
      const statement: unknown = JSON.parse(Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString());
      const { predicateType, predicate } = statement as { predicateType: string; predicate: Provenance };
      if (predicateType === predicateTypes.provenance) found.push(predicate);
    }
  return found;
}
const output = (name: string): string => {
  const lines = readFileSync(join(base, 'output'), 'utf8').split('\n');
  return lines.findLast((line) => line.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
};
const release = (tag: string) => step(commandsOf('release.yml')[0] ?? 'exit 99', { GITHUB_REF: `refs/tags/${tag}` });
const moveTags = ({ variant }: Plan) => {
  const run = commandsOf('build.yml').find((text) => text.includes('ci tag')) ?? 'exit 99';
  const evidence = `run/gates/gate-${variant}/evidence.json`;
  return step(run, { VARIANT: variant, TAGS: 'latest', EVIDENCE: evidence, SIGNED: 'yes' });
};

// One sequence, in the order of the workflows: each step finds what the one before left.
describe('from pushed digests to a release, with the steps of the workflows', () => {
  it('tells the signing workflow repositories and digests, and nothing else', async () => {
    const run = commandsOf('build.yml').find((text) => text.includes('ci digests')) ?? 'exit 99';
    expect(await step(run, {})).toMatchObject({ code: 0 });
    expect(plans).toHaveLength(2);
    expect(JSON.parse(output('images'))).toEqual({
      include: plans.map(({ variant, repository }) => ({ repository, digest: digests.get(variant) })),
    });
  });

  it('moves no tag of an image that nobody signed, and names what it lacks', async () => {
    const [plan] = plans as [Plan];
    const { code, stderr } = await moveTags(plan);
    expect([code, stderr]).toEqual([1, expect.stringContaining('lacks signature, provenance')]);
    expect(await tagOf(plan, 'latest')).toBeUndefined();
  });

  it('signs nothing as a workflow that another repository called: the policy refuses its own certificate', async () => {
    const [plan] = plans as [Plan];
    const subject = `${plan.repository}@${digests.get(plan.variant) ?? ''}`;
    const run = commandsOf('sign.yml')[0] ?? 'exit 99';
    const ended = await step(run, {}, subject, { repository: 'evil/x' });
    expect(ended).toMatchObject({ code: 3, stderr: expect.stringContaining('other-claim: repository') as unknown });
    const { registry: at, repository } = parseImageRef(plan.repository);
    const { referrers } = await registry.referrers({ registry: at, repository }, digests.get(plan.variant) as Digest);
    expect(referrers).toEqual([]);
  });

  it('signs, attests and verifies every image by repository and digest, finding its variant by itself', async () => {
    for (const { repository, variant } of plans)
      for (const run of commandsOf('sign.yml')) {
        const ended = await step(run, {}, `${repository}@${digests.get(variant) ?? ''}`);
        expect(ended, `${variant}: ${run}\n${ended.stderr}`).toMatchObject({ code: 0 });
      }
    const [plan] = plans as [Plan];
    const { stdout } = await step(
      commandsOf('sign.yml').at(-1) ?? '',
      {},
      `${plan.repository}@${digests.get(plan.variant) ?? ''}`,
    );
    expect(stdout).toContain(`signature  by ${identity}`);
    expect(stdout.match(/ {4}sbom/g)).toHaveLength(2);
  });

  it('attests what SLSA asks for: who built each platform, from which commit, by which workflow, of which inputs', async () => {
    for (const plan of plans) {
      const { registry: at, repository } = parseImageRef(plan.repository);
      const digest = digests.get(plan.variant) as Digest;
      const { children } = (await registry.manifest({ registry: at, repository, digest })).node;
      for (const node of [digest, ...children.map((child) => child.digest)]) {
        const [provenance, ...others] = await provenanceOn({ registry: at, repository }, node);
        expect(others).toEqual([]);
        const commit = git(tree, ['rev-parse', 'HEAD']);
        const { buildDefinition, runDetails } = provenance as Provenance;
        expect(runDetails).toMatchObject({
          builder: { id: identity },
          metadata: { invocationId: 'https://github.com/o/r/actions/runs/77/attempts/1' },
        });
        expect(buildDefinition.externalParameters).toMatchObject({
          variant: plan.variant,
          inputDigest: plan.inputDigest,
          workflow: { ref: 'refs/heads/main', path: '.github/workflows/build.yml' },
        });
        expect(buildDefinition.internalParameters).toMatchObject({
          sourceDateEpoch: plan.sourceDateEpoch,
          buildArgs: { GIT_COMMIT: commit },
          builds: children.map((child, index) => {
            const platform = plan.platforms[index] as Platform;
            return { platform, manifest: child.digest, engine: engines[platform] };
          }),
        });
        const [source, ...pins] = buildDefinition.resolvedDependencies ?? [];
        expect(source).toEqual({ uri: 'git+https://github.com/o/r@refs/heads/main', digest: { gitCommit: commit } });
        for (const { name } of plan.pins) expect(pins.map((pin) => pin.name?.split(' ')[0])).toContain(name);
      }
    }
  });

  it('attests nothing by evidence that names another image of the same build', async () => {
    const [plan] = plans as [Plan];
    const file = join(tree, `run/gates/gate-${plan.variant}/evidence.json`);
    const text = readFileSync(file, 'utf8');
    const record = JSON.parse(text) as Evidence;
    const [first, second] = record.builds.map(({ manifest }) => manifest);
    const swapped = record.builds.map((build, at) => ({ ...build, manifest: at === 0 ? second : first }));
    writeFileSync(file, JSON.stringify({ ...record, builds: swapped }));
    const run = commandsOf('sign.yml').find((one) => one.includes('attest')) ?? 'exit 99';
    const ended = await step(run, {}, `${plan.repository}@${record.digest}`);
    writeFileSync(file, text);
    expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining('trust/other-build')]);
  });

  it('attests nothing in a run of another commit', async () => {
    const [plan] = plans as [Plan];
    const run = commandsOf('sign.yml').find((one) => one.includes('attest')) ?? 'exit 99';
    const reference = `${plan.repository}@${digests.get(plan.variant) ?? ''}`;
    const ended = await step(run, { GITHUB_SHA: 'f'.repeat(40) }, reference);
    expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining('trust/other-commit')]);
  });

  it('signs nothing that no gate of this run let through', async () => {
    const [plan] = plans as [Plan];
    const { registry: at, repository } = parseImageRef(plan.repository);
    const [child] = (await registry.manifest({ registry: at, repository, digest: digests.get(plan.variant) })).node
      .children;
    const ended = await step(commandsOf('sign.yml')[0] ?? 'exit 99', {}, `${plan.repository}@${child?.digest ?? ''}`);
    expect(ended.code).not.toBe(0);
  });

  it('refuses what the signing workflow of another repository signed', async () => {
    const [plan] = plans as [Plan];
    const other = { GITHUB_REPOSITORY: 'o/fork' };
    const ended = await step(
      commandsOf('sign.yml').at(-1) ?? '',
      other,
      `${plan.repository}@${digests.get(plan.variant) ?? ''}`,
    );
    expect(ended).toMatchObject({ code: 1, stdout: expect.stringContaining('refused other-identity') as unknown });
  });

  it('releases nothing while the tags of one image have not moved, and names every one', async () => {
    const { code, stderr } = await release('v1.2.0');
    expect(code).toBe(1);
    for (const { variant } of plans) expect(stderr).toContain(`${variant} was not published from this commit's inputs`);
  });

  it('moves the tags then, and the release promotes every image of the plan by digest', async () => {
    for (const plan of plans) expect(await moveTags(plan)).toMatchObject({ code: 0 });
    const ended = await release('v1.2.0');
    expect(ended, ended.stderr).toMatchObject({ code: 0 });
    for (const plan of plans)
      for (const tag of ['latest', inputTag(plan), '1.2.0', 'stable'])
        expect(await tagOf(plan, tag), `${plan.variant}:${tag}`).toBe(digests.get(plan.variant));
  });

  it('releases the same again without moving anything, a pre-release without `stable`, and no version twice', async () => {
    expect(await release('v1.2.0')).toMatchObject({ code: 0, stdout: expect.not.stringContaining('new →') as unknown });
    const [plan] = plans as [Plan];
    const { registry: at, repository } = parseImageRef(plan.repository);
    const pre = await release('v1.3.0-rc.1');
    expect([pre.code, pre.stdout.includes(':stable')]).toEqual([0, false]);
    const [child] = (await registry.manifest({ registry: at, repository, tag: '1.2.0' })).node.children;
    await registry.moveTag({ registry: at, repository, tag: '2.0.0' }, child?.digest ?? ('' as Digest));
    const taken = await release('v2.0.0');
    expect([taken.code, taken.stderr]).toEqual([1, expect.stringContaining(':2.0.0 is another image')]);
    for (const other of plans.slice(1)) expect(await tagOf(other, '2.0.0')).toBeUndefined();
  });

  it('refuses a tag that is no version', async () => {
    for (const tag of ['v1.2', 'vlatest', 'v01.2.3', 'v1.2.3;x']) expect((await release(tag)).code, tag).toBe(2);
  });
});
