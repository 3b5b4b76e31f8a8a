import { join } from 'node:path';
import {
  algorithmOf,
  digestOf,
  hexOf,
  isIndexType,
  isManifestType,
  maxManifestBytes,
  mediaTypes,
  nodeShape,
  readJson,
  type Descriptor,
} from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import type { ImageSource } from './source.ts';

/** A manifest's media type: its own, or what its members show. */
function mediaTypeOf(bytes: Buffer, file: string): string {
  const value = readJson(bytes, 'manifest.json', { shape: nodeShape, file });
  const members = typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  const { mediaType } = members as { readonly mediaType?: unknown };
  if (typeof mediaType === 'string' && mediaType !== '') return mediaType;
  return Array.isArray(members['manifests']) ? mediaTypes.index : mediaTypes.manifest;
}

/**
 * dirSource reads what `skopeo copy … dir:` writes: manifest.json, each blob as a file that its hex digits name, and
 * the manifests of a list as HEX.manifest.json (containers-transports(5)).
 */
export async function dirSource(host: Host, directory: string): Promise<ImageSource> {
  const rootFile = join(directory, 'manifest.json');
  if ((await host.files.stat(rootFile))?.type !== 'file')
    throw new AppError('oci/reference', 'usage', `dir:${directory} holds no image`, {
      expected: 'a file manifest.json, as `skopeo copy … dir:` writes it',
      where: { file: rootFile },
    });
  const bytes = await host.files.read(rootFile, maxManifestBytes);
  const root = { mediaType: mediaTypeOf(bytes, rootFile), digest: digestOf(bytes), size: bytes.length };
  const file = ({ digest, mediaType }: Descriptor): string => {
    if (digest === root.digest) return rootFile;
    const prefix = algorithmOf(digest) === 'sha256' ? '' : `${algorithmOf(digest)}-`;
    const suffix = isIndexType(mediaType) || isManifestType(mediaType) ? '.manifest.json' : '';
    return join(directory, `${prefix}${hexOf(digest)}${suffix}`);
  };
  return {
    name: `dir:${directory}`,
    file,
    root: async () => root,
    async open(descriptor) {
      const path = file(descriptor);
      if ((await host.files.stat(path))?.type === 'file') return host.files.openRead(path);
      throw new AppError('oci/blob-missing', 'upstream', `dir:${directory} lacks a blob`, {
        expected: descriptor.digest,
        where: { file: path },
      });
    },
    close: async () => undefined,
  };
}
