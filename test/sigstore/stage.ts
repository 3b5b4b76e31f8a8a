import { afterAll, afterEach, beforeAll } from 'vitest';
import { labelNames, hexOf, type Digest } from '../../src/core/index.ts';
import { attestTree, signTree, type SigningContext } from '../../src/flows/trust/index.ts';
import { createRegistry, type Registry, type Repository } from '../../src/registry/index.ts';
import {
  createVerifier,
  identityToken,
  keylessSigner,
  makeProvenance,
  policySchema,
  readTrustedRoot,
  type BundleVerifier,
  type Provenance,
  type Services,
  type Signer,
} from '../../src/sigstore/index.ts';
import { fakeHost, type FakeHost } from '../support/fake-host.ts';
import { startMemoryRegistry, type Fault, type MemoryRegistry } from '../support/registries/memory-registry.ts';
import { githubIssuer } from '../../src/lab/sigstore/identity.ts';
import { labelledImage, type LabelledImage } from '../support/sigstore/image.ts';
import { startKit, type Kit } from '../../src/lab/sigstore/kit.ts';
import { testPlan } from '../support/sigstore/plan.ts';

export const workflow = 'https://github.com/o/r/.github/workflows/build.yml@refs/heads/main';
/** Who ran it, as the kit's default certificate says. */
export const caller = { repository: 'https://github.com/o/r', ref: 'refs/heads/main', trigger: 'push' };
/** The same as options of a command. */
export const callerOptions = ['--repository', caller.repository, '--ref', caller.ref, '--trigger', caller.trigger];

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

let running: Kit | undefined;
/** One Sigstore for the tests of a file; faults and skews are for each test to take back. */
export function useKit(): () => Kit {
  beforeAll(async () => {
    running = await startKit();
  });
  afterAll(() => running?.close());
  return () => {
    if (running === undefined) throw new Error('the kit is not up yet');
    return running;
  };
}

export const servicesOf = (kit: Kit): Services => ({
  fulcio: kit.url,
  rekor: kit.url,
  tsa: kit.url,
  retries: 1,
  backoff: 1,
});

/** A verifier for the kit's default identity, with parts of the policy changed. */
export async function verifierFor(
  kit: Kit,
  changes: Readonly<Record<string, unknown>> = {},
  signer: Readonly<Record<string, unknown>> = {},
): Promise<BundleVerifier> {
  const given = {
    version: 1,
    signer: { issuer: githubIssuer, identities: [workflow], ...caller, ...signer },
    ...changes,
  };
  return createVerifier(await readTrustedRoot(JSON.stringify(kit.trustedRoot)), policySchema.parse(given));
}

export function sbomFor(digest: Digest): string {
  const hashes = [{ alg: 'SHA-256', content: hexOf(digest) }];
  const component = { type: 'container', name: 'runner', hashes };
  return JSON.stringify({
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component },
    components: [],
  });
}

export const provenance = (): Provenance =>
  makeProvenance({ plan: testPlan, site: { builder: workflow }, toolVersion: '0.1.0' });

export interface Stage {
  readonly kit: Kit;
  readonly host: FakeHost;
  readonly registry: Registry;
  readonly server: { readonly host: string };
  readonly memory: MemoryRegistry | undefined;
  readonly repo: Repository;
  readonly image: LabelledImage;
  readonly ref: Repository & { readonly digest: Digest };
  readonly signing: SigningContext;
  readonly misbehave: (fault: Fault) => void;
  /** a signing context of another signer; it takes what it wrote itself for good. */
  signingAs(changes: Readonly<Record<string, string | number>>): Promise<SigningContext>;
  sign(): Promise<void>;
  attest(): Promise<void>;
}

export function signerFor(kit: Kit, host: FakeHost, changes: Readonly<Record<string, string | number>> = {}): Signer {
  return keylessSigner(host, servicesOf(kit), async () => kit.token(changes));
}

export interface StageOptions {
  readonly labels?: Readonly<Record<string, string | undefined>>;
  readonly referrers?: 'api' | 'quay' | 'none';
  /** Another registry than the one in memory. */
  readonly host?: string;
  readonly repository?: string;
}

/** stage holds an unsigned image in a registry, and who may sign it. */
export async function stage(kit: Kit, options: StageOptions = {}): Promise<Stage> {
  let fault: Fault = () => false;
  const clock = { now: () => 0 };
  const memory =
    options.host === undefined
      ? await startMemoryRegistry({
          ...(options.referrers === undefined ? {} : { referrers: options.referrers }),
          fault: (...given) => fault(...given),
          now: () => clock.now(),
        })
      : undefined;
  if (memory !== undefined) closers.push(() => memory.close());
  const host = fakeHost({ now: new Date(), env: kit.ciEnvironment() });
  clock.now = () => host.clock.now().getTime();
  const registry = createRegistry(host);
  const image = labelledImage({
    [labelNames.inputDigest]: testPlan.inputDigest,
    [labelNames.revision]: '0123456789abcdef0123456789abcdef01234567',
    ...options.labels,
  });
  const where = options.host ?? memory?.host ?? '';
  const repo = { registry: where, repository: options.repository ?? 'team/runner' };
  await registry.push(repo, image.root, image.source);
  const signing: SigningContext = {
    host,
    registry,
    signer: keylessSigner(host, servicesOf(kit), async () => identityToken(host)),
    verifier: await verifierFor(kit),
  };
  const ref = { ...repo, digest: image.root.digest };
  const sboms = new Map([image.amd64, image.arm64].map(({ digest }) => [digest, sbomFor(digest)]));
  return {
    kit,
    host,
    registry,
    server: { host: where },
    memory,
    repo,
    image,
    ref,
    signing,
    misbehave: (given) => void (fault = given),
    async signingAs(changes) {
      const identities = [`https://github.com/${String(changes['job_workflow_ref'] ?? '')}`];
      const issuer = String(changes['iss'] ?? githubIssuer);
      const name = changes['job_workflow_ref'] === undefined ? [workflow] : identities;
      const claims = {
        repository: `https://github.com/${String(changes['repository'] ?? 'o/r')}`,
        ref: changes['ref'] ?? caller.ref,
        trigger: changes['event_name'] ?? caller.trigger,
      };
      return {
        ...signing,
        signer: signerFor(kit, host, changes),
        verifier: await verifierFor(kit, {}, { identities: name, issuer, ...claims }),
      };
    },
    async sign() {
      await signTree(signing, ref);
    },
    async attest() {
      await attestTree(signing, ref, { provenance, sboms, inputDigest: testPlan.inputDigest });
    },
  };
}
