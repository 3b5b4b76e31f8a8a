import { hexOf } from '../core/digest.ts';
import { formatImageRef, parseImageRef } from '../core/image-ref.ts';
import { architectureOf, platforms } from '../core/platform.ts';
import type { ImagePin, Mirrors, Pin, ReleasePin } from '../core/index.ts';

export const noMirrors: Mirrors = { images: {}, urls: {} };

/** Key of Mirrors.urls that stands for the npm registry, whatever npm itself would ask. */
export const npmMirrorKey = 'npm:';

function longest(keys: readonly string[], matches: (key: string) => boolean): string | undefined {
  return keys.filter(matches).sort((a, b) => b.length - a.length || (a < b ? -1 : 1))[0];
}

/** mirrorRepository rewrites `host/repository` by the longest matching prefix, at a path boundary. */
export function mirrorRepository(repository: string, mirrors: Mirrors): string {
  const key = longest(Object.keys(mirrors.images), (prefix) =>
    `${repository}/`.startsWith(`${prefix.replace(/\/$/, '')}/`),
  );
  const target = key === undefined ? undefined : mirrors.images[key];
  if (key === undefined || target === undefined) return repository;
  return target.replace(/\/$/, '') + repository.slice(key.replace(/\/$/, '').length);
}

/** mirrorUrl rewrites a URL by its longest matching prefix. */
export function mirrorUrl(url: string, mirrors: Mirrors): string {
  const key = longest(Object.keys(mirrors.urls), (prefix) => prefix !== npmMirrorKey && url.startsWith(prefix));
  const target = key === undefined ? undefined : mirrors.urls[key];
  return key === undefined || target === undefined ? url : target + url.slice(key.length);
}

/** imageReference gives `host/repository:version@digest`, from the mirror where there is one. */
export function imageReference(pin: ImagePin, mirrors: Mirrors): string {
  const ref = parseImageRef(mirrorRepository(pin.repository, mirrors));
  return formatImageRef({ ...ref, tag: pin.version, digest: pin.digest });
}

export function releaseUrl(pin: ReleasePin, architecture: string): string {
  return pin.url.replaceAll('{version}', pin.version).replaceAll('{arch}', architecture);
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

/** pinValues gives what a template may take of a pin: `{{<pin>.<key>}}`. */
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
