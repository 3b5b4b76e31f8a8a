import type { ReleasePin } from './pin.ts';
import type { Mirrors } from './plan.ts';

/** noMirrors leaves every reference and address as it is. */
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

/** releaseUrl returns the address of a release's asset for one architecture (amd64, arm64). */
export function releaseUrl(pin: Pick<ReleasePin, 'url' | 'version'>, architecture: string): string {
  return pin.url.replaceAll('{version}', pin.version).replaceAll('{arch}', architecture);
}

/** assetName is the last part of an asset's address: its name in checksum files. */
export const assetName = (pin: Pick<ReleasePin, 'url' | 'version'>, architecture: string): string =>
  releaseUrl(pin, architecture).split('/').at(-1) ?? '';
