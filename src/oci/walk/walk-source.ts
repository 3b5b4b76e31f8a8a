import {
  fromOciPlatform,
  isOfPlatform,
  type Descriptor,
  type ImagePlatform,
  type OciPlatform,
  type Picture,
} from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import { imagesOf, type OtherManifest } from '../sources/images.ts';
import type { ImageSource } from '../sources/source.ts';
import { walkImage, type WalkOptions } from './walk.ts';

export interface SourceWalkOptions extends WalkOptions {
  /** Only these; without them every variant of the platforms of this project. */
  readonly platforms?: readonly ImagePlatform[] | undefined;
  /** Called for each manifest that is not walked, but for attestations. */
  readonly onOther?: ((other: OtherManifest) => void) | undefined;
}

const wants =
  (platforms: readonly ImagePlatform[] | undefined) =>
  (platform: OciPlatform): boolean =>
    platforms === undefined
      ? fromOciPlatform(platform) !== undefined
      : platforms.some((wanted) => isOfPlatform(platform, wanted));

/** imageManifest returns the descriptor of a walked image. Throws TypeError for one that the source does not lead to. */
export async function imageManifest(source: ImageSource, { manifestDigest, platform }: Picture): Promise<Descriptor> {
  for await (const { descriptor } of imagesOf(source, { wants: wants([platform]) }))
    if (descriptor.digest === manifestDigest) return descriptor;
  throw new TypeError(`${manifestDigest} is not in ${source.name}`);
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
  for await (const image of imagesOf(source, { wants: wants(options.platforms), onOther }))
    pictures.push(await walkImage(image, options));
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
