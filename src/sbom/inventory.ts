import { PackageURL } from 'packageurl-js';
import { hexOf, type Picture, type Pin } from '../core/index.ts';
import type { Declared, Package, PurlParts } from './component.ts';
import { dpkgStatus, readDpkgStatus } from './found/deb.ts';
import { goBuildInfoMagic, readGoBuildInfo } from './found/go.ts';
import { isNpmPackageFile, readNpmPackage } from './found/npm.ts';
import { isPythonMetadata, readPythonMetadata } from './found/python.ts';
import { readRpmDatabase, rpmDatabases } from './found/rpm.ts';

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
export async function inventory(picture: Picture, pinned: readonly PinnedPath[] = []): Promise<Package[]> {
  const packages: Package[] = [];
  for (const [path, content] of picture.contents) {
    for (const declared of await declaredBy(path, content)) packages.push(place(picture, path, declared));
  }
  for (const { pin, path } of pinned) {
    if (picture.tree.has(path)) packages.push(place(picture, path, declarePin(pin, picture), pin.name));
  }
  const unique = new Map(packages.map((found) => [`${found.purl} ${found.path}`, found]));
  return [...unique.entries()].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, found]) => found);
}

async function declaredBy(path: string, content: Uint8Array): Promise<Declared[]> {
  if (rpmDatabases.includes(path)) return await readRpmDatabase(content);
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
  return { ...rest, purl: formatPurl(purl), path, layer: { index, digest }, ...(pin === undefined ? {} : { pin }) };
}

function formatPurl(parts: PurlParts): string {
  const { type, namespace, name, version, qualifiers } = parts;
  return new PackageURL(
    type,
    namespace,
    name,
    version,
    qualifiers === undefined ? undefined : { ...qualifiers },
    undefined,
  ).toString();
}

/** A pinned artifact's own identity: what was fetched, and by which hash it was held. */
function declarePin(pin: Pin, picture: Picture): Declared {
  const { purl, sha256 } = pinIdentity(pin, picture);
  return {
    ecosystem: purl.type,
    name: purl.name,
    version: purl.version,
    ...(sha256 === undefined ? {} : { sha256 }),
    purl,
  };
}

function pinIdentity(pin: Pin, picture: Picture): { purl: PurlParts; sha256?: string } {
  const generic = (version: string, qualifiers?: Record<string, string>): PurlParts => ({
    type: 'generic',
    name: pin.name,
    version,
    ...(qualifiers === undefined ? {} : { qualifiers }),
  });
  switch (pin.kind) {
    case 'image':
      return { purl: generic(pin.version, { repository_url: pin.repository }), sha256: hexOf(pin.digest) };
    case 'release':
      return {
        purl: generic(pin.version, { vcs_url: pin.repository }),
        sha256: hexOf(pin.checksums[picture.platform]),
      };
    case 'git':
      return { purl: generic(pin.commit, { vcs_url: `${pin.repository}@${pin.commit}` }), sha256: hexOf(pin.digest) };
    case 'action':
      return { purl: generic(pin.commit, { vcs_url: `${pin.repository}@${pin.commit}` }) };
    case 'npm':
      return { purl: npmPurl(pin.package, pin.version) };
    case 'python':
      return { purl: generic(pin.version) };
    case 'rpms':
      return { purl: generic('floating') };
  }
}

function npmPurl(name: string, version: string): PurlParts {
  const [scope, bare] = name.split('/');
  if (bare === undefined) return { type: 'npm', name, version };
  return { type: 'npm', namespace: scope ?? '', name: bare, version };
}
