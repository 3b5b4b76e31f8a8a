import { hexOf, type Digest } from '../core/digest.ts';
import type { Descriptor } from '../core/oci.ts';
import { AppError } from '../errors/index.ts';
import { attachAll, awaitReferrers } from './attach.ts';
import { passBlob } from './blob-pull.ts';
import type { Uploaded, UploadOptions } from './blob-push.ts';
import { mapLimited } from '../core/limit.ts';
import { fetchManifest, putManifest, type Fetched } from './manifest.ts';
import { relayBlob } from './relay.ts';
import { pushBeneath, pushTree, readPart, Tally, type Part, type PushOptions, type PushReport } from './push-tree.ts';
import { listReferrers, readReferrers, type RejectedReferrer } from './referrers.ts';
import type { Repository } from './repository.ts';
import type { BlobSource } from './source.ts';
import { isNotFound, type Transport } from './transport.ts';

export interface CopyOptions extends Pick<PushOptions, 'jobs' | 'onBlob' | 'chunk'> {
  /** Also copies cosign 2's tags of every node: `sha256-<hex>.sig`, `.att`, `.sbom`. Default true. */
  readonly legacyTags?: boolean | undefined;
}

export interface CopyReport extends PushReport {
  readonly referrers: { readonly copied: number; readonly present: number };
  /** Listed at the source but not what they claim to be: left behind. */
  readonly rejected: readonly RejectedReferrer[];
  readonly legacyTags: readonly string[];
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
interface Additional {
  readonly rejected: readonly RejectedReferrer[];
  readonly legacyTags: readonly string[];
}

const joined = (all: readonly Additional[]): Additional => ({
  rejected: all.flatMap(({ rejected }) => rejected),
  legacyTags: all.flatMap(({ legacyTags }) => legacyTags),
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
    if (depth > maxDepth)
      throw new AppError('registry/referrers', 'upstream', `referrers refer to each other more than ${maxDepth} deep`, {
        found: root.descriptor.digest,
      });
    const parts = (await allNodes(this.#source, root)).filter(({ descriptor: { digest } }) => {
      const known = this.#done.has(digest);
      this.#done.add(digest);
      return !known;
    });
    return joined(
      await mapLimited(parts, atOnce, async ({ descriptor: { digest } }) => {
        const additional = await this.#referrersOf(digest, depth);
        const own = this.#options.legacyTags === false ? [] : await this.#legacyOf(digest);
        return { rejected: additional.rejected, legacyTags: [...additional.legacyTags, ...own] };
      }),
    );
  }

  async #referrersOf(subject: Digest, depth: number): Promise<Additional> {
    const { referrers, rejected } = await readReferrers(this.#wire, this.#from, subject);
    if (referrers.length === 0) return { rejected, legacyTags: [] };
    const listed = await listReferrers(this.#wire, this.#to, subject);
    const there = new Set(listed.descriptors.map(({ digest }) => digest));
    const lacking = referrers.filter(({ descriptor }) => !there.has(descriptor.digest));
    this.referrers.present += referrers.length - lacking.length;
    await mapLimited(lacking, atOnce, ({ fetched }) =>
      pushBeneath(this.#wire, this.#to, fetched, this.#source, this.#options, this.tally),
    );
    const attached = await attachAll(
      this.#wire,
      this.#to,
      lacking.map(({ fetched }) => fetched.bytes),
    );
    this.tally.manifests.pushed += attached.length;
    this.referrers.copied += attached.length;
    const slow = attached.filter(({ filed }) => filed === 'api').map(({ descriptor }) => descriptor.digest);
    const deeper = await mapLimited(referrers, atOnce, ({ fetched }) => this.withReferrers(fetched, depth + 1));
    if (slow.length > 0) await awaitReferrers(this.#wire, this.#to, subject, slow);
    return joined([{ rejected, legacyTags: [] }, ...deeper]);
  }

  async #legacyOf(subject: Digest): Promise<string[]> {
    const { registry, repository } = this.#from;
    const tags = suffixes.map((suffix) => `sha256-${hexOf(subject)}${suffix}`);
    const found = await mapLimited(tags, atOnce, async (tag) => {
      const fetched = await fetchManifest(this.#wire, { registry, repository, tag }).catch((error: unknown) => {
        if (isNotFound(error)) return undefined;
        throw error;
      });
      if (fetched === undefined) return [];
      await pushBeneath(this.#wire, this.#to, fetched, this.#source, this.#options, this.tally);
      await putManifest(this.#wire, this.#to, fetched.bytes, fetched.node.mediaType, tag);
      return [tag];
    });
    return found.flat();
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
 * copyTree copies an index (or manifest) with its children, blobs and all referrers, by digest, from
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
  const { rejected, legacyTags } = await copy.withReferrers(await copy.tree(descriptor), 1);
  return { ...copy.tally.report(digest), referrers: copy.referrers, rejected, legacyTags };
}
