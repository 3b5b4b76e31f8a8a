import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatImageRef } from '../../src/core/index.ts';
import { attestTree, signTree, verifyTree } from '../../src/flows/trust/index.ts';
import { labPaths } from '../../src/lab/paths.ts';
import { fetchTools } from '../../src/lab/tools.ts';
import { startDockerRegistry, type DockerRegistry } from '../support/registries/docker-registry.ts';
import { startMemoryRegistry, type MemoryRegistry } from '../support/registries/memory-registry.ts';
import { githubIssuer } from '../../src/lab/sigstore/identity.ts';
import { startKit, type Kit } from '../../src/lab/sigstore/kit.ts';
import { signingConfig } from '../support/sigstore/signing-config.ts';
import { testPlan } from '../support/sigstore/plan.ts';
import { provenance, sbomFor, stage, verifierFor, workflow, type Stage } from './stage.ts';

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

let kit: Kit;
let directory: string;
let files: Awaited<ReturnType<Kit['write']>>;
let cosign2: string;
let cosign3: string;
let docker: DockerRegistry;
let memory: MemoryRegistry;

beforeAll(async () => {
  kit = await startKit();
  directory = await mkdtemp(join(tmpdir(), 'cosign-'));
  files = await kit.write(directory);
  const tools = await fetchTools(labPaths().cache, ['cosign2', 'cosign']);
  [cosign2, cosign3] = [tools.cosign2?.path ?? '', tools.cosign?.path ?? ''];
  docker = await startDockerRegistry();
  memory = await startMemoryRegistry({ referrers: 'api' });
});
afterAll(async () => {
  await Promise.all([kit.close(), docker.close(), memory.close()]);
  await rm(directory, { recursive: true, force: true });
});

/** An environment of its own: no login, no cache, no trust root of this machine. */
function run(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(
      program,
      [...args],
      { env: { PATH: '/usr/bin:/bin', HOME: directory, ...env }, timeout: 120_000 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 255;
        resolve({ code, stdout, stderr });
      },
    );
  });
}

const signer = ['--certificate-identity', workflow, '--certificate-oidc-issuer', githubIssuer];
/** As publish prints it: who ran the workflow, too. */
const ranBy = (repository: string, ref = 'refs/heads/main', trigger = 'push') => [
  ...['--certificate-github-workflow-repository', repository, '--certificate-github-workflow-ref', ref],
  ...['--certificate-github-workflow-trigger', trigger],
];
const who = [...signer, ...ranBy('o/r')];
const trusting = () => ['--trusted-root', files.trustedRoot];
const at = (here: Stage, digest: Stage['ref']['digest']) => formatImageRef({ ...here.repo, digest });

async function published(repository: string, registry: 'docker' | 'memory', legacy: boolean): Promise<Stage> {
  const here = await stage(kit, { host: registry === 'docker' ? docker.host : memory.host, repository });
  await signTree(here.signing, here.ref, { legacy });
  const { amd64, arm64 } = here.image;
  const sboms = new Map([amd64, arm64].map(({ digest }) => [digest, sbomFor(digest)]));
  const attestable = { provenance, sboms, inputDigest: testPlan.inputDigest };
  await attestTree(here.signing, here.ref, attestable, { legacy });
  return here;
}

function expectPass(outcome: Outcome): void {
  expect(outcome.code, outcome.stderr).toBe(0);
}

describe.each(['docker', 'memory'] as const)('cosign 3 on a registry of kind %s', (kind) => {
  let here: Stage;
  beforeAll(async () => {
    here = await published(`team/three-${kind}`, kind, false);
  });

  test('verifies every node', async () => {
    for (const { digest } of [here.image.root, here.image.amd64, here.image.arm64])
      expectPass(await run(cosign3, ['verify', ...trusting(), '--use-signed-timestamps', ...who, at(here, digest)]));
  });

  test('verifies provenance on the index and the SBOM on an image', async () => {
    const attestation = ['verify-attestation', ...trusting(), ...who];
    const provenanceArgs = ['--type', 'slsaprovenance1', at(here, here.image.root.digest)];
    const outcome = await run(cosign3, [...attestation, ...provenanceArgs]);
    expectPass(outcome);
    expectPass(await run(cosign3, [...attestation, '--type', 'cyclonedx', at(here, here.image.arm64.digest)]));
  });

  test('refuses another identity', async () => {
    const other = ['--certificate-identity', `${workflow}-evil`, '--certificate-oidc-issuer', githubIssuer];
    expect(await verdicts(here, [other])).toEqual([false]);
  });

  test('refuses another repository, ref or trigger than the printed command demands; the identity alone does not', async () => {
    const others = [ranBy('o/fork'), ranBy('o/r', 'refs/tags/v1'), ranBy('o/r', 'refs/heads/main', 'pull_request')];
    const stated = [who, ...others.map((by) => [...signer, ...by])];
    expect(await verdicts(here, [...stated, signer])).toEqual([true, false, false, false, true]);
  });

  const verdicts = (its: Stage, all: readonly (readonly string[])[]): Promise<boolean[]> =>
    Promise.all(
      all.map(async (by) => {
        const outcome = await run(cosign3, ['verify', ...trusting(), ...by, at(its, its.image.root.digest)]);
        return outcome.code === 0;
      }),
    );
});

describe('cosign 2', () => {
  let here: Stage;
  beforeAll(async () => {
    here = await published('team/two', 'docker', true);
  });
  const keys = () => ({
    SIGSTORE_ROOT_FILE: files.ca,
    SIGSTORE_REKOR_PUBLIC_KEY: files.rekor,
    SIGSTORE_CT_LOG_PUBLIC_KEY_FILE: files.ct,
  });

  test('verifies provenance in a bundle', async () => {
    const args = ['verify-attestation', '--new-bundle-format', ...trusting(), ...who, '--type', 'slsaprovenance1'];
    expectPass(await run(cosign2, [...args, at(here, here.image.root.digest)], { SIGSTORE_ROOT_FILE: files.ca }));
  });

  test('verifies the legacy signature of every node', async () => {
    for (const { digest } of [here.image.root, here.image.amd64, here.image.arm64])
      expectPass(await run(cosign2, ['verify', ...who, at(here, digest)], keys()));
  });

  test('verifies the legacy attestations', async () => {
    const { root, amd64 } = here.image;
    const args = ['verify-attestation', ...who, '--type'];
    expectPass(await run(cosign2, [...args, 'slsaprovenance1', at(here, root.digest)], keys()));
    expectPass(await run(cosign2, [...args, 'cyclonedx', at(here, amd64.digest)], keys()));
  });

  test('and our own verifier reads the same legacy tags when the bundles are gone', async () => {
    const bare = await stage(kit, { host: docker.host, repository: 'team/two-bare' });
    const { registry, repo } = here;
    for (const node of [here.image.root, here.image.amd64, here.image.arm64])
      for (const suffix of ['.sig', '.att']) {
        const tag = `${node.digest.replace(':', '-')}${suffix}`;
        const { bytes, node: manifest, descriptor } = await registry.manifest({ ...repo, tag });
        for (const blob of manifest.blobs)
          await bare.registry.upload(
            bare.repo,
            { open: () => registry.blob(repo, blob), manifest: async () => bytes },
            blob,
          );
        await bare.registry.put(bare.repo, bytes, descriptor.mediaType, tag);
      }
    expect((await verifyTree(bare.registry, bare.ref, await verifierFor(kit))).ok).toBe(false);
    const report = await verifyTree(bare.registry, bare.ref, await verifierFor(kit, { legacy: true }));
    expect(report.ok).toBe(true);
    const strict = await verifierFor(kit, { legacy: true }, { identities: [`${workflow}-evil`] });
    const refused = (await verifyTree(bare.registry, bare.ref, strict)).nodes.flatMap((node) => node.refused);
    expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(['other-identity']));
  });
});

describe('what the real cosign signs', () => {
  test.each([2, 3] as const)('cosign %i: our verifier accepts it, for its signer only', async (version) => {
    const here = await stage(kit, { host: docker.host, repository: `team/by-cosign-${version}` });
    const program = version === 2 ? cosign2 : cosign3;
    const token = join(directory, 'token');
    await writeFile(token, kit.token());
    const common = ['sign', '--yes', '--identity-token', token, at(here, here.image.root.digest)];
    const services = ['--fulcio-url', kit.url, '--rekor-url', kit.url];
    const signing = join(directory, 'signing.json');
    await writeFile(signing, JSON.stringify(signingConfig(kit.url)));
    const args =
      version === 2
        ? [...services, ...common.slice(1)]
        : [...trusting(), '--signing-config', signing, ...common.slice(1)];
    const outcome = await run(program, ['sign', ...args], {
      SIGSTORE_ROOT_FILE: files.ca,
      SIGSTORE_REKOR_PUBLIC_KEY: files.rekor,
      SIGSTORE_CT_LOG_PUBLIC_KEY_FILE: files.ct,
    });
    expectPass(outcome);
    const policy = { require: ['signature'], nodes: 'root', legacy: true };
    const report = await verifyTree(here.registry, here.ref, await verifierFor(kit, policy));
    expect(report.nodes.flatMap((node) => node.refused)).toEqual([]);
    expect(report.ok).toBe(true);
    const other = await verifierFor(kit, policy, { identities: [`${workflow}x`] });
    expect((await verifyTree(here.registry, here.ref, other)).ok).toBe(false);
    expect(await readFile(token, 'utf8')).toMatch(/^eyJ/);
  });
});
