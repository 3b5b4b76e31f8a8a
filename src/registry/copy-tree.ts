import { Readable } from 'node:stream';
import { hexOf, type Digest } from '../core/digest.ts';
import type { Descriptor } from '../core/oci.ts';
import { AppError } from '../errors/index.ts';
import { attach, awaitReferrers, type Filed } from './attach.ts';
import { readBlob } from './blob-pull.ts';
import { fetchManifest, putManifest } from './manifest.ts';
import { pushBeneath, pushTree, readPart, Tally, type Part, type PushOptions, type PushReport } from './push-tree.ts';
import { listReferrers, readReferrers, type RejectedReferrer } from './referrers.ts';
import type { Repository } from './repository.ts';
import type { BlobSource } from './source.ts';
import { isNotFound, type Transport } from './transport.ts';

export interface CopyOptions extends Pick<PushOptions, 'jobs' | 'onBlob' | 'chunk'> {
  /** Also copies cosign 2's tags of every node: `sha256-<hex>.sig`, `.att`, `.sbom`. Default true. */
  readonly legacyTags?: boolean;
}

export interface CopyReport extends PushReport {
  readonly referrers: { readonly copied: number; readonly present: number };
  /** Listed at the source but not what they claim to be: left behind. */
  readonly rejected: readonly RejectedReferrer[];
  readonly legacyTags: readonly string[];
}

const maxDepth = 4;
const suffixes = ['.sig', '.att', '.sbom'];

async function* skip(stream: Readable, bytes: number): AsyncGenerator<Buffer> {
  let left = bytes;
  for await (const piece of stream) {
    const chunk = (piece as Buffer).subarray(Math.min(left, (piece as Buffer).length));
    left -= (piece as Buffer).length - chunk.length;
    if (chunk.length > 0) yield chunk;
  }
}

/** registrySource reads from another repository; every byte is held against its digest on the way. */
export function registrySource(wire: Transport, repo: Repository): BlobSource {
  const { registry, repository } = repo;
  return {
    open: (blob, start = 0) => {
      const stream = readBlob(wire, repo, blob);
      // The hash needs the beginning, too; an upload that broke is rare enough to read it again.
      return start === 0 ? stream : Readable.from(skip(stream, start), { objectMode: false });
    },
    manifest: async ({ digest }) => (await fetchManifest(wire, { registry, repository, digest })).bytes,
  };
}

/** allNodes gives the digests of the root and of every manifest beneath it. */
async function allNodes(source: BlobSource, part: Part): Promise<Part[]> {
  const parts: Part[] = [part];
  if (part.node.$case === 'index')
    for (const child of part.node.children) parts.push(...(await allNodes(source, await readPart(source, child))));
  return parts;
}

class Copy {
  readonly tally = new Tally();
  readonly referrers = { copied: 0, present: 0 };
  readonly rejected: RejectedReferrer[] = [];
  readonly legacyTags: string[] = [];
  readonly #wire: Transport;
  readonly #from: Repository;
  readonly #to: Repository;
  readonly #source: BlobSource;
  readonly #options: PushOptions & CopyOptions;
  readonly #done = new Set<Digest>();

  constructor(wire: Transport, from: Repository, to: Repository, options: CopyOptions) {
    this.#wire = wire;
    this.#from = from;
    this.#to = to;
    this.#source = registrySource(wire, from);
    const mount = from.registry === to.registry ? { mountFrom: [wire.endpoint(from).name] } : {};
    this.#options = { ...options, ...mount };
  }

  /** Every node with what refers to it, and what refers to that. */
  async withReferrers(root: Descriptor, depth: number): Promise<void> {
    if (depth > maxDepth)
      throw new AppError('registry/referrers', 'upstream', `referrers refer to each other more than ${maxDepth} deep`, {
        found: root.digest,
      });
    for (const part of await allNodes(this.#source, await readPart(this.#source, root))) {
      if (this.#done.has(part.descriptor.digest)) continue;
      this.#done.add(part.descriptor.digest);
      await this.#referrersOf(part.descriptor.digest, depth);
      if (this.#options.legacyTags !== false) await this.#legacyOf(part.descriptor.digest);
    }
  }

  async #referrersOf(subject: Digest, depth: number): Promise<void> {
    const found = await readReferrers(this.#wire, this.#from, subject);
    this.rejected.push(...found.rejected);
    if (found.referrers.length === 0) return;
    const there = new Set((await listReferrers(this.#wire, this.#to, subject)).descriptors.map(({ digest }) => digest));
    const slow: Digest[] = [];
    for (const { descriptor, fetched } of found.referrers) {
      if (there.has(descriptor.digest)) this.referrers.present += 1;
      else {
        const filed = await this.#attach({ descriptor: fetched.descriptor, bytes: fetched.bytes, node: fetched.node });
        if (filed === 'api') slow.push(descriptor.digest);
        this.referrers.copied += 1;
      }
      await this.withReferrers(fetched.descriptor, depth + 1);
    }
    if (slow.length > 0) await awaitReferrers(this.#wire, this.#to, subject, slow);
  }

  async #attach(part: Part): Promise<Filed> {
    await pushBeneath(this.#wire, this.#to, part, this.#source, this.#options, this.tally);
    const { filed } = await attach(this.#wire, this.#to, part.bytes);
    this.tally.manifests.pushed += 1;
    return filed;
  }

  async #legacyOf(subject: Digest): Promise<void> {
    for (const suffix of suffixes) {
      const tag = `sha256-${hexOf(subject)}${suffix}`;
      const { registry, repository } = this.#from;
      const fetched = await fetchManifest(this.#wire, { registry, repository, tag }).catch((error: unknown) => {
        if (isNotFound(error)) return undefined;
        throw error;
      });
      if (fetched === undefined) continue;
      await pushBeneath(this.#wire, this.#to, fetched, this.#source, this.#options, this.tally);
      await putManifest(this.#wire, this.#to, fetched.bytes, fetched.node.mediaType, tag);
      this.legacyTags.push(tag);
    }
  }

  async tree(root: Descriptor): Promise<void> {
    const report = await pushTree(this.#wire, this.#to, root, this.#source, this.#options);
    for (const key of ['pushed', 'present'] as const) this.tally.manifests[key] += report.manifests[key];
    for (const key of ['uploaded', 'mounted', 'present'] as const) this.tally.blobs[key] += report.blobs[key];
    this.tally.bytes += report.bytes;
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
  await copy.tree(descriptor);
  await copy.withReferrers(descriptor, 1);
  const { referrers, rejected, legacyTags } = copy;
  return { ...copy.tally.report(digest), referrers, rejected, legacyTags };
}
