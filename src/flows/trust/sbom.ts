import type { Digest, Platform } from '../../core/index.ts';
import type { Host } from '../../host/index.ts';
import { inventory, toCycloneDx, wantedForSbom } from '../../sbom/index.ts';
import type { Registry } from '../../registry/index.ts';
import { openImage } from '../check/index.ts';

export interface SbomOptions {
  readonly registry: Registry;
  /** For `docker-daemon:`. */
  readonly dockerHost?: string;
  /** With a transport, as skopeo writes it; without one, a registry reference. */
  readonly image: string;
  /** `host/repository`, what the documents call the image. */
  readonly repository: string;
  /** Seconds since 1970. */
  readonly sourceDateEpoch: number;
  readonly toolVersion: string;
  readonly platforms?: readonly Platform[];
}

export interface PlatformSbom {
  readonly platform: Platform;
  /** The platform's manifest, which the document is about. */
  readonly digest: Digest;
  readonly components: number;
  /** CycloneDX 1.6 JSON, the same bytes for the same image. */
  readonly text: string;
}

/** sbomsOf lists the packages of every platform, in one pass over its layers. */
export async function sbomsOf(host: Host, options: SbomOptions): Promise<PlatformSbom[]> {
  const source = await openImage(host, options.image, options);
  try {
    const pictures = await source.pictures({ wantContent: wantedForSbom, secrets: [] }, options.platforms);
    const made: PlatformSbom[] = [];
    for (const picture of pictures) {
      const packages = await inventory(picture);
      const text = await toCycloneDx(picture, packages, options);
      made.push({ platform: picture.platform, digest: picture.manifestDigest, components: packages.length, text });
    }
    return made;
  } finally {
    await source.close();
  }
}
