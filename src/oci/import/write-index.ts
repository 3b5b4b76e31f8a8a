import { fromOciPlatform, mediaTypes, platforms, type Descriptor, type Index } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import type { Layout } from '../layout/index.ts';
import { refName } from '../sources/pick.ts';

/** The place of a platform in every index: the order of core's list, never the order of finishing. */
function place(descriptor: Descriptor): number {
  const { platform } = descriptor;
  const known =
    platform === undefined ? undefined : fromOciPlatform({ os: platform.os, architecture: platform.architecture });
  if (known === undefined)
    throw new AppError('oci/index', 'usage', 'a manifest without a platform cannot enter the index');
  return platforms.indexOf(known);
}

/** Returns the OCI image index over one manifest for each platform. Throws `oci/index`. */
function imageIndex(manifests: readonly Descriptor[], annotations: Readonly<Record<string, string>>): Index {
  const ordered = [...manifests].sort((one, other) => place(one) - place(other));
  if (new Set(ordered.map(place)).size !== ordered.length || ordered.length === 0) {
    throw new AppError('oci/index', 'usage', 'an index holds one manifest for each platform', {
      found: `${ordered.length} manifests`,
    });
  }
  const sorted = Object.entries(annotations).sort(([one], [other]) => (one < other ? -1 : 1));
  return {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: ordered,
    annotations: sorted.length === 0 ? undefined : Object.fromEntries(sorted),
  };
}

/**
 * writeImageIndex makes the index of all platforms and lets index.json name it alone. `name` is
 * the layout's `org.opencontainers.image.ref.name`, by which `oci:dir:name` finds it.
 */
export async function writeImageIndex(
  layout: Layout,
  manifests: readonly Descriptor[],
  annotations: Readonly<Record<string, string>> = {},
  name?: string,
): Promise<Descriptor> {
  const descriptor = await layout.putJson(mediaTypes.index, imageIndex(manifests, annotations));
  const entry = name === undefined ? descriptor : { ...descriptor, annotations: { [refName]: name } };
  await layout.writeIndex({ schemaVersion: 2, manifests: [entry] });
  return descriptor;
}
