import { Readable } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import type { Digest } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import { mapLimited } from '../../core/limit.ts';
import type { BlobSource, Registry } from '../../registry/index.ts';
import {
  attestationOf,
  bundleManifest,
  emptyConfig,
  emptyDescriptor,
  encodeStatement,
  signStatement,
  type BundleVerifier,
  type Signer,
  type Statement,
} from '../../sigstore/index.ts';
import { gatherEvidence, type VerifiedAttestation } from './evidence.ts';
import { ReadingLimits } from './reading-limits.ts';
import { nameOf, type Tree, type TreeNode } from './tree.ts';

/** Each waits mostly for a log or a registry. */
const atOnce = 4;

export interface AttachedBundle {
  readonly node: string;
  readonly subject: Digest;
  readonly predicateType: string;
  /** Digest of the referrer manifest. */
  readonly digest: Digest;
  readonly how: 'attached' | 'present';
}

export interface Wanted {
  readonly node: TreeNode;
  readonly statement: Statement;
}

export interface SigningContext {
  readonly host: Host;
  readonly registry: Registry;
  readonly signer: Signer;
  /** What is there is held against it, and what was just signed, before it is attached. */
  readonly verifier: BundleVerifier;
}

/** memorySource offers the bytes of one blob to the registry client. */
export function memorySource(bytes: Uint8Array): BlobSource {
  return {
    open: (_blob, start = 0) => Readable.from([Buffer.from(bytes).subarray(start)], { objectMode: false }),
    manifest: async () => Promise.reject(new TypeError('there are no manifests here')),
  };
}

/** What makes two provenances one: the run's own address changes with every attempt, what was built does not. */
function normalizedPredicate({ predicateType, predicate }: Statement): unknown {
  if (attestationOf(predicateType) !== 'provenance') return predicate;
  const { buildDefinition, runDetails } = predicate as {
    buildDefinition?: Record<string, unknown> | undefined;
    runDetails?: { builder?: { id?: unknown } | undefined } | undefined;
  };
  const { internalParameters: _internal, ...definition } = buildDefinition ?? {};
  return [definition, runDetails?.builder?.id];
}

function isThere(attestations: readonly VerifiedAttestation[], statement: Statement): VerifiedAttestation | undefined {
  // As JSON, since one of them came from there: an undefined member is no member.
  const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown;
  const wanted = plain(normalizedPredicate(statement));
  return attestations.find(
    ({ result, bundle }) =>
      bundle !== undefined &&
      result.$case === 'verified' &&
      result.statement.predicateType === statement.predicateType &&
      isDeepStrictEqual(plain(normalizedPredicate(result.statement)), wanted),
  );
}

async function signOne({ host, signer, verifier }: SigningContext, { node, statement }: Wanted): Promise<Buffer> {
  const bundle = await signStatement(host, signer, statement);
  const result = await verifier.bundle(bundle, node.descriptor.digest);
  if (result.$case === 'verified') return bundle;
  throw new AppError('trust/self-check', 'upstream', `what was just signed for ${nameOf(node)} does not verify`, {
    expected: 'a bundle that the policy accepts',
    found: `${result.code}: ${result.detail}`,
    hint: 'nothing was attached; compare the trusted root with the services that signed, and the clocks',
  });
}

interface SignedItem {
  readonly item: Wanted;
  readonly bundle: Buffer;
}

/** attachTo attaches everything that was signed about one node; its list of referrers is written once. */
async function attachTo({ registry, host }: SigningContext, tree: Tree, node: TreeNode, signed: readonly SignedItem[]) {
  const created = host.clock
    .now()
    .toISOString()
    .replace(/\.\d+Z$/, 'Z');
  const manifests = await mapLimited(signed, atOnce, async ({ item, bundle }) => {
    const { bytes, layer } = bundleManifest(node.descriptor, bundle, item.statement.predicateType, created);
    await registry.upload(tree.repo, memorySource(bundle), layer, { fresh: true });
    return bytes;
  });
  return await registry.attachAll(tree.repo, manifests);
}

/** What is attached to every node, by its digest. */
export type TreeEvidence = ReadonlyMap<Digest, readonly VerifiedAttestation[]>;

export async function treeEvidence({ registry, verifier }: SigningContext, tree: Tree): Promise<TreeEvidence> {
  const limits = new ReadingLimits();
  const gathered = await mapLimited(
    tree.nodes,
    atOnce,
    async (node) => [node.descriptor.digest, await gatherEvidence(registry, tree, node, verifier, limits)] as const,
  );
  return new Map(gathered);
}

/**
 * attachAll signs what is not there yet and attaches it. Everything is signed and verified before the
 * first byte is attached, so that a log that is down leaves the image as it was; images come before
 * their index, and a run that was cut short is continued by the next.
 */
export async function attachAll(
  signing: SigningContext,
  tree: Tree,
  wanted: readonly Wanted[],
  known?: TreeEvidence,
): Promise<AttachedBundle[]> {
  const { registry, host } = signing;
  // A statement that the log would not take is found before the first is sent.
  for (const { statement } of wanted) encodeStatement(statement);
  const evidence = known ?? (await treeEvidence(signing, tree));
  const done: AttachedBundle[] = [];
  const lacking: Wanted[] = [];
  for (const item of wanted) {
    const there = isThere(evidence.get(item.node.descriptor.digest) ?? [], item.statement);
    if (there === undefined) lacking.push(item);
    else done.push(recordOf(item, there.source as Digest, 'present'));
  }
  const signed = await mapLimited(lacking, atOnce, async (item) => ({ item, bundle: await signOne(signing, item) }));
  if (signed.length > 0) await registry.upload(tree.repo, memorySource(emptyConfig), emptyDescriptor);
  const slow = new Map<Digest, Digest[]>();
  for (const role of ['image', 'index'] as const) {
    const nodes = tree.nodes.filter((node) => node.role === role);
    await mapLimited(nodes, atOnce, async (node) => {
      const these = signed.filter(({ item }) => item.node === node);
      const attached = await attachTo(signing, tree, node, these);
      for (const [at, { descriptor, filed }] of attached.entries()) {
        const { item } = these[at] as SignedItem;
        const subject = node.descriptor.digest;
        if (filed === 'api') slow.set(subject, [...(slow.get(subject) ?? []), descriptor.digest]);
        done.push(recordOf(item, descriptor.digest, 'attached'));
        host.progress.say(`${nameOf(node)}: attached ${item.statement.predicateType}`);
      }
    });
  }
  for (const [subject, digests] of slow) await registry.awaitReferrers(tree.repo, subject, digests);
  return done;
}

function recordOf({ node, statement }: Wanted, digest: Digest, how: AttachedBundle['how']): AttachedBundle {
  const subject = node.descriptor.digest;
  return { node: nameOf(node), subject, predicateType: statement.predicateType, digest, how };
}
