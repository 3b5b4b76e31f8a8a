import { hexOf, type Digest } from '../core/digest.ts';
import type { Descriptor } from '../core/oci.ts';
import { attachAll, awaitReferrers } from './attach.ts';
import { blobExists, passBlob } from './blob-pull.ts';
import type { Uploaded, UploadOptions } from './blob-push.ts';
import { mapLimited } from '../core/limit.ts';
import { fetchManifest, putManifest, type Fetched } from './manifest.ts';
import { relayBlob } from './relay.ts';
import { pushBeneath, pushTree, readPart, Tally, type Part, type PushOptions, type PushReport } from './push-tree.ts';
import { listReferrers } from './list-referrers.ts';
import { readReferrers, type Referrer, type Referrers, type RejectedReferrer } from './referrers.ts';
import { tagDigest } from './move-tag.ts';
import { contentProblem } from './content-problem.ts';
import type { Repository } from './repository.ts';
import type { BlobSource } from './source.ts';
import type { Transport } from './transport.ts';

export interface CopyOptions extends Pick<PushOptions, 'jobs' | 'onBlob' | 'chunk'> {
  /** Which referrers: all, and what refers to those, or these by their subject. Default all. */
  readonly referrers?: 'all' | ReadonlyMap<Digest, readonly Digest[]> | undefined;
  /**
   * Also copies cosign 2's tags of every node: `sha256-<hex>.sig`, `.att`, `.sbom`. One that names something else at the
   * destination is left alone. Default true.
   */
  readonly legacyTags?: boolean | undefined;
}

export interface CopyReport extends PushReport {
  readonly referrers: { readonly copied: number; readonly present: number };
  /** Listed at the source but not what they claim to be: left behind. */
  readonly rejected: readonly RejectedReferrer[];
  readonly legacyTags: readonly string[];
  /** Tags that name something else at the destination, and still do. */
  readonly keptTags: readonly string[];
}

const maxDepth = 4;
/** Each waits mostly for one of the registries. */
const atOnce = 4;
const suffixes = ['.sig', '.att', '.sbom'];

/**
 * registrySource reads from another repository. The registry that gets a blob holds it against its digest; a manifest
 * is read once, since what it says at a digest never changes.
 */
export function registrySource(wire: Transport, repo: Repository): BlobSource {
  const { registry, repository } = repo;
  const read = new Map<Digest, Promise<Fetched>>();
  return {
    open: (blob, start = 0) => passBlob(wire, repo, blob, start),
    manifest: async ({ digest }) => {
      const fetching = read.get(digest) ?? fetchManifest(wire, { registry, repository, digest });
      read.set(digest, fetching);
      return (await fetching).bytes;
    },
  };
}

/** allNodes returns the root and every manifest beneath it. */
async function allNodes(source: BlobSource, part: Part): Promise<Part[]> {
  if (part.node.$case !== 'index') return [part];
  const below = part.node.children.map(async (child) => allNodes(source, await readPart(source, child)));
  return [part, ...(await Promise.all(below)).flat()];
}

/** What one node brought in addition to itself. */
type Additional = Pick<CopyReport, 'rejected' | 'legacyTags' | 'keptTags'>;

const joined = (all: readonly Partial<Additional>[]): Additional => ({
  rejected: all.flatMap(({ rejected = [] }) => rejected),
  legacyTags: all.flatMap(({ legacyTags = [] }) => legacyTags),
  keptTags: all.flatMap(({ keptTags = [] }) => keptTags),
});

class Copy {
  readonly tally = new Tally();
  readonly referrers = { copied: 0, present: 0 };
  readonly #wire: Transport;
  readonly #from: Repository;
  readonly #to: Repository;
  readonly #source: BlobSource;
  readonly #options: PushOptions & CopyOptions;
  readonly #done = new Set<Digest>();
  readonly #bringing = new Map<Digest, Promise<Uploaded>>();

  constructor(wire: Transport, from: Repository, to: Repository, options: CopyOptions) {
    this.#wire = wire;
    this.#from = from;
    this.#to = to;
    this.#source = registrySource(wire, from);
    const mount = from.registry === to.registry ? { mountFrom: [wire.endpoint(from).name] } : {};
    const upload = { ...options, ...mount };
    this.#options = { ...upload, bring: (blob) => this.#bring(blob, upload) };
  }

  /**
   * Proofs share blobs (the empty config). Of two that upload one at the same time, docker-registry 2.8 may refuse the
   * manifest of the first with MANIFEST_BLOB_UNKNOWN, while it writes down the second.
   */
  #bring(blob: Descriptor, upload: UploadOptions): Promise<Uploaded> {
    const bringing =
      this.#bringing.get(blob.digest) ?? relayBlob(this.#wire, this.#from, this.#to, this.#source, blob, upload);
    this.#bringing.set(blob.digest, bringing);
    return bringing;
  }

  /** Every node with what refers to it, and what refers to that; several at once, reported in the nodes' order. */
  async withReferrers(root: Part, depth: number): Promise<Additional> {
    if (depth > maxDepth) return joined([{ rejected: await this.#tooDeep(root) }]);
    const parts = (await allNodes(this.#source, root)).filter(({ descriptor: { digest } }) => {
      const known = this.#done.has(digest);
      this.#done.add(digest);
      return !known;
    });
    return joined(
      await mapLimited(parts, atOnce, async ({ descriptor: { digest } }) => {
        const additional = await this.#referrersOf(digest, depth);
        return joined([additional, this.#options.legacyTags === false ? {} : await this.#legacyOf(digest)]);
      }),
    );
  }

  /** What refers to the last referrer that is copied stays behind. */
  async #tooDeep({ descriptor }: Part): Promise<RejectedReferrer[]> {
    const { descriptors } = await listReferrers(this.#wire, this.#from, descriptor.digest);
    const detail = `it is more than ${maxDepth} referrers away from the image`;
    return descriptors.map((deep) => ({ descriptor: deep, reason: 'too-deep', detail }));
  }

  /** The referrers to copy, and what stays behind. */
  async #chosen(subject: Digest): Promise<Pick<Referrers, 'referrers' | 'rejected'>> {
    const { referrers = 'all' } = this.#options;
    if (referrers === 'all') return await readReferrers(this.#wire, this.#from, subject);
    const { registry, repository } = this.#from;
    const chosen = await mapLimited(referrers.get(subject) ?? [], atOnce, async (digest) => {
      const fetched = await fetchManifest(this.#wire, { registry, repository, digest });
      return { descriptor: fetched.descriptor, fetched };
    });
    return { referrers: chosen, rejected: [] };
  }

  /** Brings the blobs of a referrer. Returns what is wrong with it when the source lacks one of them. */
  async #bringBeneath({ fetched }: Referrer): Promise<RejectedReferrer | undefined> {
    const chosen = this.#options.referrers instanceof Map;
    const there = await mapLimited(chosen ? [] : fetched.node.blobs, atOnce, (blob) =>
      blobExists(this.#wire, this.#from, blob),
    );
    if (there.includes(false))
      return { descriptor: fetched.descriptor, reason: 'gone', detail: 'the registry lacks a blob that it names' };
    await pushBeneath(this.#wire, this.#to, fetched, this.#source, this.#options, this.tally);
    return undefined;
  }

  async #referrersOf(subject: Digest, depth: number): Promise<Additional> {
    const { referrers, rejected } = await this.#chosen(subject);
    if (referrers.length === 0) return joined([{ rejected }]);
    const listed = await listReferrers(this.#wire, this.#to, subject);
    const there = new Set(listed.descriptors.map(({ digest }) => digest));
    const lacking = referrers.filter(({ descriptor }) => !there.has(descriptor.digest));
    this.referrers.present += referrers.length - lacking.length;
    const brought = await mapLimited(lacking, atOnce, (referrer) => this.#bringBeneath(referrer));
    const whole = lacking.filter((_referrer, at) => brought[at] === undefined);
    const attached = await attachAll(
      this.#wire,
      this.#to,
      whole.map(({ fetched }) => fetched.bytes),
    );
    this.tally.manifests.pushed += attached.length;
    this.referrers.copied += attached.length;
    const slow = attached.filter(({ filed }) => filed === 'api').map(({ descriptor }) => descriptor.digest);
    const deeper =
      this.#options.referrers instanceof Map
        ? []
        : await mapLimited(referrers, atOnce, ({ fetched }) => this.withReferrers(fetched, depth + 1));
    if (slow.length > 0) await awaitReferrers(this.#wire, this.#to, subject, slow);
    return joined([{ rejected }, { rejected: brought.filter((one) => one !== undefined) }, ...deeper]);
  }

  async #legacyOf(subject: Digest): Promise<Partial<Additional>> {
    const { registry, repository } = this.#from;
    const tags = suffixes.map((suffix) => `sha256-${hexOf(subject)}${suffix}`);
    const found = await mapLimited(tags, atOnce, async (tag): Promise<Partial<Additional>> => {
      const fetched = await fetchManifest(this.#wire, { registry, repository, tag }).catch((error: unknown) => {
        if (contentProblem(error) !== undefined) return undefined;
        throw error;
      });
      if (fetched === undefined) return {};
      const there = await tagDigest(this.#wire, { ...this.#to, tag });
      if (there !== undefined && there !== fetched.descriptor.digest) return { keptTags: [tag] };
      const rejected = await this.#bringBeneath({ descriptor: fetched.descriptor, fetched });
      if (rejected !== undefined) return { rejected: [rejected] };
      await putManifest(this.#wire, this.#to, fetched.bytes, fetched.node.mediaType, tag);
      return { legacyTags: [tag] };
    });
    return joined(found);
  }

  async tree(root: Descriptor): Promise<Part> {
    const report = await pushTree(this.#wire, this.#to, root, this.#source, this.#options);
    for (const key of ['pushed', 'present'] as const) this.tally.manifests[key] += report.manifests[key];
    for (const key of ['uploaded', 'mounted', 'present'] as const) this.tally.blobs[key] += report.blobs[key];
    this.tally.bytes += report.bytes;
    return await readPart(this.#source, root);
  }
}

/**
 * copyTree copies an index (or manifest) with its children, blobs and referrers, by digest, from
 * one repository to another; within a registry blobs are mounted. It moves no tag of the image. What
 * is there is skipped, so a run that was cut short is continued by the next.
 */
export async function copyTree(
  wire: Transport,
  from: Repository,
  to: Repository,
  digest: Digest,
  options: CopyOptions = {},
): Promise<CopyReport> {
  const { registry, repository } = from;
  const { descriptor } = await fetchManifest(wire, { registry, repository, digest });
  const copy = new Copy(wire, from, to, options);
  const additional = await copy.withReferrers(await copy.tree(descriptor), 1);
  return { ...copy.tally.report(digest), referrers: copy.referrers, ...additional };
}
