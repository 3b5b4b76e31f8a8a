import { Readable } from 'node:stream';
import {
  artifactName,
  formatPlatform,
  isAttestation,
  isImageConfigType,
  isIndexType,
  isManifestType,
  maxManifestBytes,
  parseImageConfig,
  parseIndex,
  parseManifest,
  type Descriptor,
  type Digest,
  type ImageConfig,
  type ImagePlatform,
  type Manifest,
  type OciPlatform,
} from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import { readVerified } from '../verify.ts';
import type { ImageSource } from './source.ts';

const maxDepth = 4;

/** StoredImage is one platform's image, its small documents verified. */
export interface StoredImage {
  readonly platform: ImagePlatform;
  readonly descriptor: Descriptor;
  readonly manifestDigest: Digest;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
  /** The config as it is stored: members that no type here knows are kept. */
  readonly configBytes: Buffer;
  open(blob: Descriptor): Promise<Readable>;
}

/** A manifest that a reference leads to and that is not wanted, and what it is: `a Helm chart`, `linux/s390x`. */
export interface OtherManifest {
  readonly descriptor: Descriptor;
  readonly what: string;
}

export interface Selection {
  readonly wants: (platform: OciPlatform) => boolean;
  /** Called for each manifest that is left out, but for attestations. */
  readonly onOther?: ((other: OtherManifest) => void) | undefined;
}

/** A blob that its descriptor holds need not be anywhere else (image-spec descriptor.md, "Embedded Content"). */
async function open(source: ImageSource, descriptor: Descriptor): Promise<Readable> {
  const { data } = descriptor;
  return data === undefined
    ? source.open(descriptor)
    : Readable.from([Buffer.from(data, 'base64')], { objectMode: false });
}

async function document(source: ImageSource, descriptor: Descriptor): Promise<Buffer> {
  return readVerified(await open(source, descriptor), descriptor, maxManifestBytes);
}

/** The image manifests below a descriptor that are of a wanted platform, as far as their descriptors say. */
async function manifests(
  source: ImageSource,
  descriptor: Descriptor,
  selection: Selection,
  depth = 0,
): Promise<Descriptor[]> {
  if (isManifestType(descriptor.mediaType)) return [descriptor];
  if (!isIndexType(descriptor.mediaType) || depth > maxDepth) {
    throw new AppError('oci/media-type', 'upstream', `${source.name} is no image`, {
      expected: 'an image index or manifest',
      found: `${descriptor.mediaType.slice(0, 100)} at depth ${depth}`,
    });
  }
  const index = parseIndex(await document(source, descriptor), source.file?.(descriptor));
  const nested: Descriptor[] = [];
  for (const child of index.manifests) {
    if (isAttestation(child)) continue;
    const { platform } = child;
    // The bytes of other platforms are often not there.
    if (platform !== undefined && (!selection.wants(platform) || source.has?.(child) === false))
      selection.onOther?.({ descriptor: child, what: formatPlatform(platform) });
    else if (!isManifestType(child.mediaType) && !isIndexType(child.mediaType))
      selection.onOther?.({ descriptor: child, what: `a document of type ${child.mediaType.slice(0, 100)}` });
    else nested.push(...(await manifests(source, child, selection, depth + 1)));
  }
  return nested;
}

/** What a manifest is: an image of a wanted platform, or what else. */
async function read(source: ImageSource, descriptor: Descriptor, { wants }: Selection): Promise<StoredImage | string> {
  const manifest = parseManifest(await document(source, descriptor), source.file?.(descriptor));
  if (!isImageConfigType(manifest.config.mediaType)) return artifactName(manifest);
  const configBytes = await document(source, manifest.config);
  const config = parseImageConfig(configBytes, source.file?.(manifest.config));
  const stated = descriptor.platform;
  if (stated !== undefined && (stated.os !== config.os || stated.architecture !== config.architecture))
    throw new AppError('oci/platform', 'upstream', `${descriptor.digest} is of another platform than its index says`, {
      expected: formatPlatform(stated),
      found: formatPlatform(config),
      hint: 'engines choose by the index: look at what made it',
    });
  const variant = stated?.variant ?? config.variant;
  const platform = { os: config.os, architecture: config.architecture, variant };
  if (!wants(platform)) return formatPlatform(platform);
  return {
    platform: formatPlatform(platform),
    descriptor,
    manifestDigest: descriptor.digest,
    manifest,
    config,
    configBytes,
    open: (blob) => open(source, blob),
  };
}

/** imagesOf yields the wanted images that a source's reference leads to. */
export async function* imagesOf(source: ImageSource, selection: Selection): AsyncGenerator<StoredImage> {
  for (const descriptor of await manifests(source, await source.root(), selection)) {
    const image = await read(source, descriptor, selection);
    if (typeof image === 'string') selection.onOther?.({ descriptor, what: image });
    else yield image;
  }
}
