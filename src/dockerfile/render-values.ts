import { hexOf } from '../core/digest.ts';
import { formatImageRef, parseImageRef } from '../core/image-ref.ts';
import { architectureOf, platforms } from '../core/platform.ts';
import { mirrorRepository, mirrorUrl, releaseUrl } from '../core/mirrors.ts';
import type { ImagePin, Mirrors, Pin, ReleasePin } from '../core/index.ts';

/** imageReference returns `host/repository:version@digest`, from the mirror where there is one. */
export function imageReference(pin: ImagePin, mirrors: Mirrors): string {
  const ref = parseImageRef(mirrorRepository(pin.repository, mirrors));
  return formatImageRef({ ...ref, tag: pin.version, digest: pin.digest });
}

function releaseValues(pin: ReleasePin, mirrors: Mirrors): Record<string, string> {
  const values: Record<string, string> = { version: pin.version };
  for (const platform of platforms) {
    const architecture = architectureOf(platform);
    values[`url.${architecture}`] = mirrorUrl(releaseUrl(pin, architecture), mirrors);
    values[`sha256.${architecture}`] = hexOf(pin.checksums[platform]);
  }
  return values;
}

/** pinValues returns what a template may take of a pin: `{{<pin>.<key>}}`. */
export function pinValues(pin: Pin, mirrors: Mirrors): Readonly<Record<string, string>> {
  switch (pin.kind) {
    case 'image':
      return { reference: imageReference(pin, mirrors), version: pin.version, digest: pin.digest };
    case 'release':
      return releaseValues(pin, mirrors);
    case 'npm':
      return { version: pin.version, package: pin.package };
    case 'python':
      return { version: pin.version, minor: pin.version.split('.').slice(0, 2).join('.') };
    case 'git':
      return {
        repository: mirrorUrl(pin.repository, mirrors),
        version: pin.version,
        commit: pin.commit,
        path: pin.path,
        tree: pin.tree,
        sha256: hexOf(pin.digest),
      };
    case 'rpms':
      return { packages: [...pin.packages].sort().join(' ') };
    case 'action':
      return { commit: pin.commit, version: pin.version };
  }
}
