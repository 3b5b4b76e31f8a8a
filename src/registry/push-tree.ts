import { digestOf, type Digest } from '../core/digest.ts';
import { isIndexType, isManifestType } from '../core/media-types.ts';
import type { Descriptor } from '../core/oci.ts';
import { AppError } from '../errors/index.ts';
import { blobExists } from './blob-pull.ts';
import { uploadBlob, type Uploaded, type UploadOptions } from './blob-push.ts';
import { eachLimited } from '../core/limit.ts';
import { manifestExists, putManifest } from './manifest.ts';
import { readNode, unique, type Node } from './node.ts';
import type { Repository } from './repository.ts';
import type { BlobSource } from './source.ts';
import type { Transport } from './transport.ts';

export interface PushOptions extends UploadOptions {
  /** Blobs under way at once. Default 4. */
  readonly jobs?: number | undefined;
  /** Called after each blob with what became of it. */
  readonly onBlob?: ((blob: Descriptor, how: 'present' | 'mounted' | 'uploaded') => void) | undefined;
  /** How a blob that is not there is brought; `uploadBlob` otherwise. */
  readonly bring?: ((blob: Descriptor) => Promise<Uploaded>) | undefined;
}

export interface PushReport {
  readonly digest: Digest;
  readonly manifests: { readonly pushed: number; readonly present: number };
  readonly blobs: { readonly uploaded: number; readonly mounted: number; readonly present: number };
  /** Bytes of blobs that were uploaded. */
  readonly bytes: number;
}

/** Part is one manifest or index of the tree with the bytes that the source gave for it. */
export interface Part {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  readonly node: Node;
}

const maxDepth = 4;
const isNodeType = (type: string): boolean => isIndexType(type) || isManifestType(type);

/** readPart reads a manifest of the source and holds it against its descriptor. Throws `registry/source`. */
export async function readPart(source: BlobSource, descriptor: Descriptor): Promise<Part> {
  const bytes = await source.manifest(descriptor);
  const digest = digestOf(bytes);
  if (digest !== descriptor.digest || bytes.length !== descriptor.size)
    throw new AppError('registry/source', 'usage', 'a manifest of the source does not match its descriptor', {
      expected: `${descriptor.digest}, ${descriptor.size} bytes`,
      found: `${digest}, ${bytes.length} bytes`,
      hint: 'the layout was changed or written in part: build it again',
    });
  return { descriptor, bytes, node: readNode(bytes, descriptor.mediaType, `the manifest ${digest}`) };
}

/** Tally counts what one push did. */
export class Tally {
  readonly manifests = { pushed: 0, present: 0 };
  readonly blobs = { uploaded: 0, mounted: 0, present: 0 };
  bytes = 0;

  report(digest: Digest): PushReport {
    return { digest, manifests: this.manifests, blobs: this.blobs, bytes: this.bytes };
  }
}

async function pushBlobs(
  wire: Transport,
  repo: Repository,
  blobs: readonly Descriptor[],
  source: BlobSource,
  options: PushOptions,
  tally: Tally,
): Promise<void> {
  // The largest first, so that no long upload is left alone at the end.
  const sorted = unique(blobs).sort((a, b) => b.size - a.size);
  await eachLimited(sorted, options.jobs ?? 4, async (blob) => {
    const bring = options.bring ?? ((missing) => uploadBlob(wire, repo, source, missing, options));
    const how = (await blobExists(wire, repo, blob)) ? 'present' : await bring(blob);
    tally.blobs[how] += 1;
    if (how === 'uploaded') tally.bytes += blob.size;
    options.onBlob?.(blob, how);
  });
}

/** missingBeneath reads the tree below `part` and returns the parts that the registry lacks, parents first. */
async function missingBeneath(
  wire: Transport,
  repo: Repository,
  part: Part,
  source: BlobSource,
  tally: Tally,
  depth: number,
): Promise<Part[]> {
  if (depth > maxDepth)
    throw new AppError('registry/source', 'usage', `indexes are nested more than ${maxDepth} deep`, {
      found: part.descriptor.digest,
    });
  const missing: Part[] = [];
  // An index may list what is no manifest at all; such an entry is a blob to the registry.
  const children = unique(part.node.children.filter((child) => isNodeType(child.mediaType)));
  await eachLimited(children, 16, async (child) => {
    if (await manifestExists(wire, repo, child.digest)) {
      tally.manifests.present += 1;
      return;
    }
    const read = await readPart(source, child);
    missing.push(read, ...(await missingBeneath(wire, repo, read, source, tally, depth + 1)));
  });
  return missing;
}

/** pushBeneath brings everything that `part` needs, but not the part itself. */
export async function pushBeneath(
  wire: Transport,
  repo: Repository,
  part: Part,
  source: BlobSource,
  options: PushOptions,
  tally: Tally,
): Promise<void> {
  const missing = await missingBeneath(wire, repo, part, source, tally, 1);
  const odd = part.node.children.filter((child) => !isNodeType(child.mediaType));
  const blobs = [...part.node.blobs, ...odd, ...missing.flatMap(({ node }) => node.blobs)];
  await pushBlobs(wire, repo, blobs, source, options, tally);
  // Parents come first in `missing`, and a registry takes a manifest only when its parts are there.
  for (const { bytes, node } of [...missing].reverse()) {
    await putManifest(wire, repo, bytes, node.mediaType);
    tally.manifests.pushed += 1;
  }
}

/**
 * pushTree brings an index (or a manifest) with everything beneath it into a repository, by digest:
 * blobs, then manifests, then the root. What is there is skipped; when the root and its children are
 * there, nothing else is asked. No tag moves. Throws RegistryError, `registry/source`.
 */
export async function pushTree(
  wire: Transport,
  repo: Repository,
  root: Descriptor,
  source: BlobSource,
  options: PushOptions = {},
): Promise<PushReport> {
  const tally = new Tally();
  const part = await readPart(source, root);
  if (await manifestExists(wire, repo, root.digest)) {
    const missing = await missingBeneath(wire, repo, part, source, tally, 1);
    if (missing.length === 0) {
      tally.manifests.present += 1;
      return tally.report(root.digest);
    }
    tally.manifests.present = 0;
  }
  await pushBeneath(wire, repo, part, source, options, tally);
  await putManifest(wire, repo, part.bytes, part.node.mediaType);
  tally.manifests.pushed += 1;
  return tally.report(root.digest);
}
