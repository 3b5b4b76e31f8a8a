import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseImageRef, parseIndex, type Digest } from '../../src/core/index.ts';
import { commandLine, consumerCommands } from '../../src/flows/trust/index.ts';
import { createRegistry, type Registry, type Repository } from '../../src/registry/index.ts';
import { buildSite, localBuilder, makeProvenance } from '../../src/sigstore/index.ts';
import { projectRoot } from '../../src/lab/index.ts';
import { githubIssuer } from '../../src/lab/sigstore/identity.ts';
import { signingConfig } from '../support/sigstore/signing-config.ts';
import { startKit, type Kit } from '../../src/lab/sigstore/kit.ts';
import { shell } from './docker.ts';
import type { Stage } from './stage.ts';
import type { Command } from './types.ts';

const identity = 'https://github.com/o/r/.github/workflows/build.yml@refs/heads/main';
const caller = { repository: 'https://github.com/o/r', ref: 'refs/heads/main', trigger: 'push' };

/** Subject is the variant's image in a registry, with all that signing it takes lying ready as files. */
export interface Subject {
  readonly kit: Kit;
  readonly registry: Registry;
  readonly project: string;
  readonly source: Repository;
  readonly index: Digest;
  readonly images: readonly { readonly digest: Digest; readonly architecture: string }[];
  readonly trustedRoot: string;
  readonly directory: string;
}

/** subject publishes the variant into the stage's registry and writes its SBOMs and provenance, all of it untimed. */
export function subject(stage: Stage): Promise<Subject> {
  return stage.once('signing subject', async () => {
    const { project } = await stage.layout();
    const kit = await startKit();
    stage.later(() => kit.close());
    const directory = await stage.path('sigstore', 'kit');
    await mkdir(directory, { recursive: true });
    const { trustedRoot } = await kit.write(directory);
    await writeFile(join(directory, 'signing.json'), JSON.stringify(signingConfig(kit.url)));
    const { host } = await stage.registry();
    const to = `${host}/bench/trust-source`;
    const publish = ['publish', stage.variant, '--skip-gate', '--json', '--to', to];
    const { reference } = JSON.parse(await stage.do(stage.ours(project, publish))) as { reference: string };
    const ref = parseImageRef(reference);
    if (ref.digest === undefined) throw new TypeError('published without a digest');
    const source = { registry: ref.registry, repository: ref.repository };
    const registry = createRegistry(stage.host);
    const { manifests } = parseIndex((await registry.manifest({ ...source, digest: ref.digest })).bytes);
    const images = manifests.map(({ digest, platform }) => ({ digest, architecture: platform?.architecture ?? '' }));
    const layout = `oci:${join(project, 'dist', stage.variant)}`;
    await stage.do(stage.ours(project, ['sbom', layout, '--output', directory]));
    const provenance = makeProvenance({ plan: await stage.plan(), site: buildSite({}), toolVersion: '0.1.0' });
    await writeFile(join(directory, 'provenance.json'), JSON.stringify(provenance));
    return { kit, registry, project, source, index: ref.digest, images, trustedRoot, directory };
  });
}

/** copyTo gives a repository that has the image and nothing attached to it. */
export async function copyTo({ registry, source, index }: Subject, name: string): Promise<Repository> {
  const to = { registry: source.registry, repository: `bench/${name}` };
  await registry.copy(source, to, index);
  return to;
}

const at = ({ registry, repository }: Repository, digest: Digest): string => `${registry}/${repository}@${digest}`;
const ourCommand = (project: string, args: readonly string[]): string =>
  commandLine([process.execPath, join(projectRoot, 'bin/runner-image.mjs'), ...args, '--root', project, '--quiet']);

/** ourSigning: the tree signed and attested; the SBOMs lie ready for both sides. */
export function ourSigning(stage: Stage, given: Subject, repo: Repository): string {
  const { kit, trustedRoot, project, directory, index } = given;
  const services = ['--fulcio', kit.url, '--rekor', kit.url, '--tsa', kit.url, '--trusted-root', trustedRoot];
  const reference = at(repo, index);
  return [
    ourCommand(project, ['sign', reference, ...services, '--without-gate', 'a benchmark']),
    ourCommand(project, [
      ...['attest', reference, '--variant', stage.variant, '--lab', '--sbom', directory],
      ...services,
    ]),
  ].join(' && ');
}

export const ourPolicy = ({ trustedRoot }: Subject): string[] => [
  '--trusted-root',
  trustedRoot,
  '--identity',
  identity,
  ...['--repository', caller.repository, '--ref', caller.ref, '--trigger', caller.trigger],
  ...['--builder', localBuilder],
];
export const ourVerifying = (given: Subject, repo: Repository): string =>
  ourCommand(given.project, ['verify', at(repo, given.index), ...ourPolicy(given)]);
export const ourPromoting = (given: Subject, from: Repository, to: string): string =>
  ourCommand(given.project, ['promote', at(from, given.index), to, ...ourPolicy(given)]);

/** cosignSigning does the same with cosign 3: every node signed, provenance on every node, an SBOM on every image. */
export function cosignSigning(stage: Stage, given: Subject, repo: Repository, token: string): string {
  const { index, images, directory, trustedRoot } = given;
  const signing = ['--yes', '--trusted-root', trustedRoot, '--signing-config', join(directory, 'signing.json')];
  const common = [...signing, '--identity-token', token];
  const attest = (type: string, file: string, digest: Digest): string[] => {
    const predicate = ['--type', type, '--predicate', join(directory, file)];
    return [stage.peers.cosign.path, 'attest', ...common, ...predicate, at(repo, digest)];
  };
  const all = [index, ...images.map(({ digest }) => digest)];
  return [
    [stage.peers.cosign.path, 'sign', '--recursive', ...common, at(repo, index)],
    ...all.map((digest) => attest('slsaprovenance1', 'provenance.json', digest)),
    ...images.map(({ digest, architecture }) => attest('cyclonedx', `${architecture}.cdx.json`, digest)),
  ]
    .map(commandLine)
    .join(' && ');
}

/** cosignVerifying are the command lines that `publish` prints, one node at a time. */
export function cosignVerifying(stage: Stage, given: Subject, repo: Repository): string {
  const image = { repo, index: given.index, images: given.images.map(({ digest }) => digest) };
  const trust = { $case: 'identity', identity, issuer: githubIssuer, ...caller } as const;
  return consumerCommands(image, trust, ['--trusted-root', given.trustedRoot])
    .map(([, ...args]) => `${commandLine([stage.peers.cosign.path, ...args])} > /dev/null`)
    .join(' && ');
}

/** In an environment without logins, caches and trust roots of this machine. */
export const inside = ({ directory, kit }: Subject, script: string): Command =>
  shell(script, { HOME: directory, DOCKER_CONFIG: directory, ...kit.ciEnvironment() });
