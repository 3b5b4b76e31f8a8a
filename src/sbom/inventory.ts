import { PackageURL } from 'packageurl-js';
import { parsePlatform, type NpmPin, type Picture, type Pin } from '../core/index.ts';
import type { Declared, Package, PurlParts } from './component.ts';
import { dpkgStatus, readDpkgStatus } from './found/deb.ts';
import { goBuildInfoMagic, readGoBuildInfo } from './found/go.ts';
import { isNpmPackageFile, readNpmPackage } from './found/npm.ts';
import { declarePin } from './found/pin.ts';
import { isPythonMetadata, readPythonMetadata } from './found/python.ts';
import { logOf, notWrittenBack, readRpmDatabase, rpmDatabases } from './found/rpm.ts';

const maxTextFile = 4 * 1024 * 1024;
const maxRpmDatabase = 512 * 1024 * 1024;

/** wantedForSbom says which files' whole content the streaming pass shall keep. */
export function wantedForSbom(path: string, entry: { readonly type: string; readonly size: number }): boolean {
  if (entry.type !== 'file') return false;
  if (rpmDatabases.includes(path)) return entry.size <= maxRpmDatabase;
  if (entry.size > maxTextFile) return path === dpkgStatus && entry.size <= 16 * maxTextFile;
  return path === dpkgStatus || isNpmPackageFile(path) || isPythonMetadata(path);
}

/** PinnedPath says that a pin's bytes lie at this path of the image. */
export interface PinnedPath {
  readonly pin: Pin;
  readonly path: string;
}

/**
 * inventory lists every package that the image's files declare, sorted by purl and path, each once.
 * A package database that was shadowed or deleted by a later layer does not count: the picture holds
 * the final file system. Throws `sbom/rpmdb` and `sbom/rpm-header`.
 */
export function inventory(picture: Picture, pinned: readonly PinnedPath[] = []): Package[] {
  const packages: Package[] = [];
  for (const [path, content] of picture.contents) {
    if (rpmDatabases.includes(path) && (picture.tree.get(logOf(path))?.size ?? 0) > 0) throw notWrittenBack(path);
    for (const declared of declaredBy(path, content)) packages.push(place(picture, path, declared));
  }
  for (const { pin, path } of pinned) {
    // Its own package.json declares it; the pin only adds where it came from.
    if (pin.kind === 'npm') markNpm(packages, pin);
    else if (picture.tree.has(path))
      packages.push(place(picture, path, declarePin(pin, parsePlatform(picture.platform)), pin.name));
  }
  const unique = new Map(packages.map((found) => [`${found.purl} ${found.path}`, found]));
  return [...unique.entries()].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, found]) => found);
}

function markNpm(packages: Package[], pin: NpmPin): void {
  for (const [at, found] of packages.entries()) {
    if (found.ecosystem === 'npm' && found.name === pin.package && found.version === pin.version)
      packages[at] = { ...found, pin: pin.name };
  }
}

function declaredBy(path: string, content: Uint8Array): Declared[] {
  if (rpmDatabases.includes(path)) return readRpmDatabase(content);
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  if (bytes.subarray(0, goBuildInfoMagic.length).equals(goBuildInfoMagic)) return readGoBuildInfo(bytes);
  const text = bytes.toString('utf8');
  if (path === dpkgStatus) return readDpkgStatus(text);
  const one = isNpmPackageFile(path)
    ? readNpmPackage(text)
    : isPythonMetadata(path)
      ? readPythonMetadata(text)
      : undefined;
  return one === undefined ? [] : [one];
}

function place(picture: Picture, path: string, declared: Declared, pin?: string): Package {
  const index = picture.tree.get(path)?.layer ?? 0;
  const digest = picture.layers[index]?.digest ?? picture.manifestDigest;
  const { purl, ...rest } = declared;
  return {
    ...rest,
    purl: formatPurl(purl),
    path,
    layer: { index, digest },
    pin,
  };
}

function formatPurl(parts: PurlParts): string {
  const { type, namespace, name, version, qualifiers } = parts;
  return new PackageURL(
    type,
    namespace,
    name,
    version,
    Object.fromEntries(
      Object.entries(qualifiers ?? {}).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
    ),
    undefined,
  ).toString();
}
