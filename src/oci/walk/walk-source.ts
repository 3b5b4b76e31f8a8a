import { Readable } from 'node:stream';
import {
  artifactName,
  formatPlatform,
  fromOciPlatform,
  isAttestation,
  isImageConfigType,
  isIndexType,
  isManifestType,
  isOfPlatform,
  maxManifestBytes,
  parseImageConfig,
  parseIndex,
  parseManifest,
  type Descriptor,
  type ImagePlatform,
  type OciPlatform,
  type Picture,
} from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import type { ImageSource } from '../sources/source.ts';
import { readVerified } from '../verify.ts';
import { walkImage, type WalkImage, type WalkOptions } from './walk.ts';

const maxDepth = 4;

/** A manifest that a reference leads to and that is not walked, and what it is: `a Helm chart`, `linux/s390x`. */
export interface OtherManifest {
  readonly descriptor: Descriptor;
  readonly what: string;
}

export interface SourceWalkOptions extends WalkOptions {
  /** Only these; without them every variant of the platforms of this project. */
  readonly platforms?: readonly ImagePlatform[] | undefined;
  /** Told of each manifest that is not walked, attestations left out. */
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

function isWanted(platform: OciPlatform, { platforms }: SourceWalkOptions): boolean {
  if (platforms === undefined) return fromOciPlatform(platform) !== undefined;
  return platforms.some((wanted) => isOfPlatform(platform, wanted));
}

/** The image manifests below a descriptor that are of a wanted platform, as far as their descriptors say. */
async function manifests(
  source: ImageSource,
  descriptor: Descriptor,
  options: SourceWalkOptions,
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
    if (platform !== undefined && !isWanted(platform, options))
      options.onOther?.({ descriptor: child, what: formatPlatform(platform) });
    else if (!isManifestType(child.mediaType) && !isIndexType(child.mediaType))
      options.onOther?.({ descriptor: child, what: `a document of type ${child.mediaType.slice(0, 100)}` });
    else nested.push(...(await manifests(source, child, options, depth + 1)));
  }
  return nested;
}

/** What a manifest is: an image of a wanted platform, or what else. */
async function read(
  source: ImageSource,
  descriptor: Descriptor,
  options: SourceWalkOptions,
): Promise<WalkImage | string> {
  const manifest = parseManifest(await document(source, descriptor), source.file?.(descriptor));
  if (!isImageConfigType(manifest.config.mediaType)) return artifactName(manifest);
  const config = parseImageConfig(await document(source, manifest.config), source.file?.(manifest.config));
  const stated = descriptor.platform;
  if (stated !== undefined && (stated.os !== config.os || stated.architecture !== config.architecture))
    throw new AppError('oci/platform', 'upstream', `${descriptor.digest} is of another platform than its index says`, {
      expected: formatPlatform(stated),
      found: formatPlatform(config),
      hint: 'engines choose by the index: look at what made it',
    });
  const variant = stated?.variant ?? config.variant;
  const platform = { os: config.os, architecture: config.architecture, variant };
  if (!isWanted(platform, options)) return formatPlatform(platform);
  return {
    platform: formatPlatform(platform),
    manifestDigest: descriptor.digest,
    manifest,
    config,
    open: (blob) => open(source, blob),
  };
}

/** imageManifest returns the descriptor of a walked image. Throws TypeError for one that the source does not lead to. */
export async function imageManifest(source: ImageSource, { manifestDigest, platform }: Picture): Promise<Descriptor> {
  const all = await manifests(source, await source.root(), { platforms: [platform] });
  const found = all.find(({ digest }) => digest === manifestDigest);
  if (found === undefined) throw new TypeError(`${manifestDigest} is not in ${source.name}`);
  return found;
}

/**
 * walkSource returns a Picture for every platform that the source's reference leads to, or for the wanted ones.
 * Throws what walkImage throws, and `oci/platform` when a wanted one is not there, or no image at all.
 */
export async function walkSource(source: ImageSource, options: SourceWalkOptions = {}): Promise<Picture[]> {
  const others: string[] = [];
  const onOther = (other: OtherManifest) => {
    others.push(other.what);
    options.onOther?.(other);
  };
  const pictures: Picture[] = [];
  for (const descriptor of await manifests(source, await source.root(), { ...options, onOther })) {
    const image = await read(source, descriptor, options);
    if (typeof image === 'string') onOther({ descriptor, what: image });
    else pictures.push(await walkImage(image, options));
  }
  const there = pictures.map(({ platform }) => platform);
  const missing =
    options.platforms?.filter((wanted) => !there.some((platform) => isOfPlatform(platform, wanted))) ?? [];
  if (missing.length === 0 && pictures.length > 0) return pictures;
  throw new AppError('oci/platform', 'usage', `${source.name} lacks a platform`, {
    expected: missing.join(', ') || 'an image for linux/amd64 or linux/arm64',
    found: [...there, ...others].slice(0, 20).join(', ') || 'none',
    hint: 'name a platform that is there: --platform OS/ARCHITECTURE[/VARIANT]',
  });
}
