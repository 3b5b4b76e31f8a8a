import type { Readable } from 'node:stream';
import type { Digest } from '../core/digest.ts';
import { formatImageRef, type ImageRef } from '../core/image-ref.ts';
import type { Descriptor } from '../core/oci.ts';
import type { Mirrors } from '../core/plan.ts';
import type { Host } from '../host/index.ts';
import { attachAll, awaitReferrers, type Attached } from './attach.ts';
import { blobExists, readBlob } from './blob-pull.ts';
import { uploadBlob, type Uploaded, type UploadOptions } from './blob-push.ts';
import { copyTree, type CopyOptions, type CopyReport } from './copy-tree.ts';
import { deleteManifest, fetchManifest, putManifest, type Fetched, type PutResult } from './manifest.ts';
import { moveTag, tagDigest, type MoveOptions, type TagMove, type TagRef } from './move-tag.ts';
import { pushTree, type PushOptions, type PushReport } from './push-tree.ts';
import {
  readReferrers,
  visitReferrers,
  type Referrer,
  type Referrers,
  type RejectedReferrer,
  type Visited,
} from './referrers.ts';
import { mirrored, type Repository } from './repository.ts';
import { resolve, settle, type Resolution } from './resolve.ts';
import type { BlobSource } from './source.ts';
import { listTags, type PageCache } from './tags.ts';
import { Transport, type TransportOptions } from './transport.ts';

export interface RegistryOptions extends TransportOptions {
  /** Where to read from instead; writing, copying and moving tags never follow it. */
  readonly mirrors?: Pick<Mirrors, 'images'> | undefined;
  /** Lists of tags that were read before. */
  readonly pages?: PageCache | undefined;
}

/** Registry speaks to every OCI registry; it keeps connections, tokens and limits for its lifetime. */
export interface Registry {
  /** The descriptor that a reference names; the same question under way twice is asked once. */
  resolve(ref: ImageRef): Promise<Descriptor>;
  /** Many at once, each asked once however often it is named; by formatImageRef of the reference. */
  resolveAll(refs: readonly ImageRef[]): Promise<ReadonlyMap<string, Resolution>>;
  manifest(ref: ImageRef): Promise<Fetched>;
  /** A stream held against size and digest; see readBlob. */
  blob(repo: Repository, blob: Descriptor): Readable;
  tags(repo: Repository, limit?: number): Promise<string[]>;
  referrers(repo: Repository, subject: Digest, artifactType?: string): Promise<Referrers>;
  /** The same, one after the other; a manifest of more than `limit` bytes is rejected. See visitReferrers. */
  visitReferrers<T>(
    repo: Repository,
    subject: Digest,
    visit: (opened: Referrer | RejectedReferrer) => T,
    limit?: number,
  ): Promise<Visited<T>>;

  blobExists(repo: Repository, blob: Descriptor): Promise<boolean>;
  upload(
    repo: Repository,
    source: BlobSource,
    blob: Descriptor,
    options?: UploadOptions & {
      /** It was made just now: the registry is not asked whether it has it. */
      readonly fresh?: boolean | undefined;
    },
  ): Promise<Uploaded | 'present'>;
  put(repo: Repository, bytes: Uint8Array, mediaType: string, tag?: string): Promise<PutResult>;
  delete(repo: Repository, digestOrTag: string): Promise<boolean>;
  push(repo: Repository, root: Descriptor, source: BlobSource, options?: PushOptions): Promise<PushReport>;
  /** What a tag names, never from a mirror; undefined when it does not exist. */
  tagDigest(ref: TagRef): Promise<Digest | undefined>;
  moveTag(ref: TagRef, digest: Digest, options?: MoveOptions): Promise<TagMove>;
  attach(repo: Repository, bytes: Uint8Array): Promise<Attached>;
  /** The same for several, with one write of each subject's fallback tag; answers in the order given. */
  attachAll(repo: Repository, manifests: readonly Uint8Array[]): Promise<readonly Attached[]>;
  awaitReferrers(repo: Repository, subject: Digest, digests: readonly Digest[], timeout?: number): Promise<void>;
  copy(from: Repository, to: Repository, digest: Digest, options?: CopyOptions): Promise<CopyReport>;
}

/** createRegistry builds the client. Nothing is read or sent before the first question. */
export function createRegistry(host: Host, options: RegistryOptions = {}): Registry {
  const wire = new Transport(host, options);
  const underWay = new Map<string, Promise<Descriptor>>();
  const here = <T extends Repository>(ref: T): T => mirrored(ref, options.mirrors?.images);

  const resolveOnce = (ref: ImageRef): Promise<Descriptor> => {
    const key = formatImageRef(ref);
    const known = underWay.get(key);
    if (known !== undefined) return known;
    const asking = (async () => resolve(wire, here(ref)))().finally(() => underWay.delete(key));
    underWay.set(key, asking);
    return asking;
  };

  return {
    resolve: resolveOnce,
    async resolveAll(refs) {
      const byText = new Map(refs.map((ref) => [formatImageRef(ref), ref]));
      const answers = [...byText].map(async ([text, ref]) => [text, await settle(resolveOnce(ref))] as const);
      return new Map(await Promise.all(answers));
    },
    manifest: async (ref) => fetchManifest(wire, here(ref)),
    blob: (repo, blob) => readBlob(wire, here(repo), blob),
    tags: async (repo, limit) => listTags(wire, here(repo), limit, options.pages),
    referrers: async (repo, subject, artifactType) => readReferrers(wire, here(repo), subject, artifactType),
    visitReferrers: async (repo, subject, visit, limit) => visitReferrers(wire, here(repo), subject, visit, limit),
    blobExists: (repo, blob) => blobExists(wire, repo, blob),
    upload: async (repo, source, blob, given) =>
      given?.fresh !== true && (await blobExists(wire, repo, blob))
        ? 'present'
        : uploadBlob(wire, repo, source, blob, given),
    put: (repo, bytes, mediaType, tag) => putManifest(wire, repo, bytes, mediaType, tag),
    delete: (repo, target) => deleteManifest(wire, repo, target),
    push: (repo, root, source, given) => pushTree(wire, repo, root, source, given),
    tagDigest: (ref) => tagDigest(wire, ref),
    moveTag: (ref, digest, given) => moveTag(wire, ref, digest, given),
    attach: async (repo, bytes) => (await attachAll(wire, repo, [bytes]))[0] as Attached,
    attachAll: (repo, manifests) => attachAll(wire, repo, manifests),
    awaitReferrers: (repo, subject, digests, timeout) => awaitReferrers(wire, repo, subject, digests, timeout),
    copy: (from, to, digest, given) => copyTree(wire, from, to, digest, given),
  };
}
