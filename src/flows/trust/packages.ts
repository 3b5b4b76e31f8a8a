import type { Picture, Platform } from '../../core/index.ts';
import type { Host } from '../../host/index.ts';
import { goWindow, inventory, wantedForSbom, type Package } from '../../sbom/index.ts';
import type { ImageSource } from '../../oci/index.ts';
import type { Registry } from '../../registry/index.ts';
import { openImage } from '../check/index.ts';
import type { PinsOfImage } from './pinned-paths.ts';

export interface PackagesOptions {
  readonly registry: Registry;
  /** For `docker-daemon:`. */
  readonly dockerHost?: string | undefined;
  /** With a transport, as skopeo writes it; without one, a registry reference; or a source that is open already. */
  readonly image: string | ImageSource;
  readonly platforms?: readonly Platform[] | undefined;
  /** Which of the project's pins its files came from; absent: they are not asked for. */
  readonly pins?: PinsOfImage | undefined;
}

export interface PlatformPackages {
  readonly picture: Picture;
  readonly packages: readonly Package[];
}

/** packagesOf lists what every platform's files declare, in one pass over its layers. */
export async function packagesOf(host: Host, options: PackagesOptions): Promise<PlatformPackages[]> {
  const source = await openImage(host, options.image, options);
  const task = host.progress.task(`reading ${source.name}`);
  try {
    const pictures = await source.pictures(
      { wantContent: wantedForSbom, secrets: [], windows: goWindow },
      options.platforms,
    );
    const found: PlatformPackages[] = [];
    for (const picture of pictures) {
      const pinned = (await options.pins?.(picture)) ?? [];
      found.push({ picture, packages: inventory(picture, pinned) });
    }
    task.done(`${found.reduce((sum, { packages }) => sum + packages.length, 0)} packages`);
    return found;
  } catch (error) {
    task.fail();
    throw error;
  } finally {
    await source.close();
  }
}
