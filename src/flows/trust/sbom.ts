import type { Digest, Platform } from '../../core/index.ts';
import type { Host } from '../../host/index.ts';
import { toCycloneDx } from '../../sbom/index.ts';
import { packagesOf, type PackagesOptions } from './packages.ts';

export interface SbomOptions extends PackagesOptions {
  /** `host/repository`, what the documents call the image. */
  readonly repository: string;
  /** Seconds since 1970. */
  readonly sourceDateEpoch: number;
  readonly toolVersion: string;
}

export interface PlatformSbom {
  readonly platform: Platform;
  /** The platform's manifest, which the document is about. */
  readonly digest: Digest;
  readonly components: number;
  /** CycloneDX 1.6 JSON, the same bytes for the same image. */
  readonly text: string;
}

/** sbomsOf writes one document for every platform. */
export async function sbomsOf(host: Host, options: SbomOptions): Promise<PlatformSbom[]> {
  const made: PlatformSbom[] = [];
  for (const { picture, packages } of await packagesOf(host, options)) {
    const text = await toCycloneDx(picture, packages, options);
    made.push({ platform: picture.platform, digest: picture.manifestDigest, components: packages.length, text });
  }
  return made;
}
