import {
  fromOciPlatform,
  isAttestation,
  isIndexType,
  isManifestType,
  maxManifestBytes,
  parseImageConfig,
  parseIndex,
  parseManifest,
  type Descriptor,
  type Picture,
  type Platform,
} from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import type { ImageSource } from '../sources/source.ts';
import { readVerified } from '../verify.ts';
import { walkImage, type WalkImage, type WalkOptions } from './walk.ts';

const maxDepth = 4;

async function document(source: ImageSource, descriptor: Descriptor): Promise<Buffer> {
  return readVerified(await source.open(descriptor), descriptor, maxManifestBytes);
}

/** Attestations are no images; other platforms are none of ours, and their bytes are often not there. */
function isOurs(descriptor: Descriptor): boolean {
  const { platform } = descriptor;
  if (isAttestation(descriptor)) return false;
  return (
    platform === undefined || fromOciPlatform({ os: platform.os, architecture: platform.architecture }) !== undefined
  );
}

/** Every image manifest below a descriptor that is of a platform of this project. */
async function manifests(source: ImageSource, descriptor: Descriptor, depth = 0): Promise<Descriptor[]> {
  if (isManifestType(descriptor.mediaType)) return [descriptor];
  if (!isIndexType(descriptor.mediaType) || depth > maxDepth) {
    throw new AppError('oci/media-type', 'upstream', `${source.name} is no image`, {
      expected: 'an image index or manifest',
      found: `${descriptor.mediaType.slice(0, 100)} at depth ${depth}`,
    });
  }
  const children = parseIndex(await document(source, descriptor), source.file?.(descriptor)).manifests.filter(isOurs);
  const nested: Descriptor[] = [];
  for (const child of children) nested.push(...(await manifests(source, child, depth + 1)));
  return nested;
}

async function imageOf(source: ImageSource, descriptor: Descriptor): Promise<WalkImage> {
  const manifest = parseManifest(await document(source, descriptor), source.file?.(descriptor));
  const config = parseImageConfig(await document(source, manifest.config), source.file?.(manifest.config));
  const platform = fromOciPlatform({ os: config.os, architecture: config.architecture });
  if (platform === undefined) {
    throw new AppError('oci/platform', 'usage', `${source.name} holds an image for a platform unknown here`, {
      found: `${config.os}/${config.architecture}`,
      expected: 'linux/amd64 or linux/arm64',
    });
  }
  const open = (blob: Descriptor) => source.open(blob);
  return { platform, manifestDigest: descriptor.digest, manifest, config, open };
}

/** imageManifests gives the descriptor of every image manifest that the source's reference leads to. */
export async function imageManifests(source: ImageSource): Promise<Descriptor[]> {
  return manifests(source, await source.root());
}

/**
 * walkSource gives a Picture for every platform that the source's reference leads to, or for the
 * given ones. Throws what walkImage throws, and `oci/platform` when a given one is not there.
 */
export async function walkSource(
  source: ImageSource,
  options: WalkOptions & { readonly platforms?: readonly Platform[] } = {},
): Promise<Picture[]> {
  const pictures: Picture[] = [];
  const seen: Platform[] = [];
  for (const descriptor of await imageManifests(source)) {
    const image = await imageOf(source, descriptor);
    seen.push(image.platform);
    if (options.platforms?.includes(image.platform) === false) continue;
    pictures.push(await walkImage(image, options));
  }
  const missing = options.platforms?.filter((platform) => !seen.includes(platform)) ?? [];
  if (missing.length === 0 && pictures.length > 0) return pictures;
  throw new AppError('oci/platform', 'usage', `${source.name} lacks a platform`, {
    expected: missing.join(', ') || 'at least one platform',
    found: seen.join(', ') || 'none',
  });
}
