import { parsePlatform } from '../../core/index.ts';
import type { Host } from '../../host/index.ts';
import { toCycloneDx } from '../../sbom/index.ts';
import { packagesOf, type PackagesOptions } from './packages.ts';
import type { PlatformSbom } from './sbom-files.ts';

export interface SbomOptions extends PackagesOptions {
  /** `host/repository`, what the documents call the image. */
  readonly repository: string;
  /** Seconds since 1970. */
  readonly sourceDateEpoch: number;
  readonly toolVersion: string;
}

/** sbomsOf writes one document for every platform. */
export async function sbomsOf(host: Host, options: SbomOptions): Promise<PlatformSbom[]> {
  const made: PlatformSbom[] = [];
  for (const { picture, packages } of await packagesOf(host, options)) {
    const platform = parsePlatform(picture.platform);
    const text = toCycloneDx(picture, packages, options);
    made.push({ platform, digest: picture.manifestDigest, components: packages.length, text });
  }
  return made;
}
