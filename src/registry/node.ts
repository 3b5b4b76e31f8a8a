import { isBlobDigest, type Digest } from '../core/digest.ts';
import { refuseTwoKinds } from '../core/document-kind.ts';
import { nodeShape } from '../core/json-shapes.ts';
import { readJson, withoutNulls } from '../core/json.ts';
import { isIndexType, isManifestType, mediaTypes } from '../core/media-types.ts';
import type { Descriptor } from '../core/oci.ts';
import { AppError } from '../errors/index.ts';
import { isRecord, text } from './json.ts';

/** Node is what pushing, copying and referrers need to know of one manifest or index. */
export interface Node {
  readonly $case: 'index' | 'manifest';
  readonly mediaType: string;
  /** Manifests of an index, in its order. */
  readonly children: readonly Descriptor[];
  /** Config and layers of a manifest, without those that are fetched from elsewhere by their URLs. */
  readonly blobs: readonly Descriptor[];
  readonly subject?: Descriptor | undefined;
  /** artifactType, or a manifest's config media type, which stands in for it (image-spec manifest.md). */
  readonly artifactType?: string | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

const maxEntries = 10_000;
const foreign = /foreign|nondistributable/;

function malformed(what: string, found: string): AppError {
  return new AppError('registry/malformed-manifest', 'upstream', `malformed ${what}`, {
    expected: 'a document of the OCI image spec',
    found,
  });
}

function strings(value: unknown): Readonly<Record<string, string>> {
  if (!isRecord(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

/** readDescriptor checks the three members that must be there. Throws `registry/malformed-manifest`. */
export function readDescriptor(value: unknown, what: string): Descriptor {
  const mediaType = isRecord(value) ? text(value['mediaType']) : undefined;
  const digest = isRecord(value) ? text(value['digest']) : undefined;
  const size = isRecord(value) ? value['size'] : undefined;
  if (!isRecord(value) || mediaType === undefined || digest === undefined || !isBlobDigest(digest))
    throw malformed(what, `a descriptor with the digest ${JSON.stringify(digest ?? null).slice(0, 120)}`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw malformed(what, `a descriptor with the size ${JSON.stringify(size ?? null).slice(0, 40)}`);
  const artifactType = text(value['artifactType']);
  const platform = value['platform'];
  const os = isRecord(platform) ? text(platform['os']) : undefined;
  const architecture = isRecord(platform) ? text(platform['architecture']) : undefined;
  const variant = isRecord(platform) ? text(platform['variant']) : undefined;
  return {
    mediaType,
    digest,
    size,
    artifactType,
    annotations: isRecord(value['annotations']) ? strings(value['annotations']) : undefined,
    platform: os === undefined || architecture === undefined ? undefined : { os, architecture, variant },
  };
}

function descriptors(value: unknown, what: string): Descriptor[] {
  if (!Array.isArray(value)) throw malformed(what, 'no list of descriptors');
  if (value.length > maxEntries) throw malformed(what, `${value.length} descriptors`);
  return value.map((entry: unknown) => readDescriptor(entry, what));
}

function readDocument(bytes: Uint8Array, what: string): unknown {
  try {
    const value = readJson(bytes, what, { shape: nodeShape });
    refuseTwoKinds(value, what);
    return withoutNulls(value, nodeShape);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'core/oci-json') throw error;
    const html = /^\s*</.test(Buffer.from(bytes.subarray(0, 64)).toString('latin1'));
    throw malformed(what, html ? 'an HTML page' : 'something that is not JSON');
  }
}

/**
 * readNode reads a manifest or an index. `declared` is the media type that the registry or the
 * descriptor gave; the document's own, when it has one, must agree, since a document that is read as
 * two things is an attack (GHSA-77vh-xpmg-72qh). Throws `registry/malformed-manifest`, and what readJson and
 * refuseTwoKinds throw.
 */
export function readNode(bytes: Uint8Array, declared: string | undefined, what: string): Node {
  const value = readDocument(bytes, what);
  if (!isRecord(value) || value['schemaVersion'] !== 2) throw malformed(what, 'no schemaVersion 2');
  const own = text(value['mediaType']);
  const known = declared !== undefined && (isIndexType(declared) || isManifestType(declared));
  if (own !== undefined && known && own !== declared)
    throw malformed(what, `the media type ${own} inside, ${declared} outside`);
  const guessed = Array.isArray(value['manifests']) ? mediaTypes.index : mediaTypes.manifest;
  const mediaType = own ?? (known ? declared : guessed);
  if (!isIndexType(mediaType) && !isManifestType(mediaType)) throw malformed(what, `the media type ${mediaType}`);
  const subject = value['subject'];
  const common = {
    mediaType,
    annotations: strings(value['annotations']),
    subject: isRecord(subject) ? readDescriptor(subject, what) : undefined,
  };
  const given = text(value['artifactType']);
  if (isIndexType(mediaType))
    return {
      $case: 'index',
      ...common,
      artifactType: given,
      children: descriptors(value['manifests'], what),
      blobs: [],
    };
  const config = readDescriptor(value['config'], what);
  const layers = descriptors(value['layers'], what).filter((layer) => !foreign.test(layer.mediaType));
  return {
    $case: 'manifest',
    ...common,
    artifactType: given ?? config.mediaType,
    children: [],
    blobs: [config, ...layers],
  };
}

/** unique keeps the first descriptor of each digest. */
export function unique(list: readonly Descriptor[]): Descriptor[] {
  const seen = new Map<Digest, Descriptor>();
  for (const descriptor of list) if (!seen.has(descriptor.digest)) seen.set(descriptor.digest, descriptor);
  return [...seen.values()];
}
