import type { Descriptor } from '../core/index.ts';
import { AppError } from '../errors/index.ts';
import type { Compression } from './decompress.ts';

const suffixes: readonly (readonly [string, Compression])[] = [
  ['', 'none'],
  ['+gzip', 'gzip'],
  ['+zstd', 'zstd'],
];

/** Layers as the OCI and Docker name them; foreign and non-distributable ones hold the same kind of tar. */
const compressions: Readonly<Record<string, Compression>> = Object.fromEntries([
  ...suffixes.flatMap(([suffix, compression]) =>
    ['vnd.oci.image.layer.v1.tar', 'vnd.oci.image.layer.nondistributable.v1.tar'].map(
      (name) => [`application/${name}${suffix}`, compression] as const,
    ),
  ),
  ...suffixes.flatMap(([suffix, compression]) =>
    ['rootfs.diff.tar', 'rootfs.foreign.diff.tar'].map(
      (name) => [`application/vnd.docker.image.${name}${suffix.replace('+', '.')}`, compression] as const,
    ),
  ),
]);

/** compressionOf reads a layer's media type. Throws `oci/media-type`. */
export function compressionOf(layer: Descriptor): Compression {
  const kind = Object.hasOwn(compressions, layer.mediaType) ? compressions[layer.mediaType] : undefined;
  if (kind !== undefined) return kind;
  throw new AppError('oci/media-type', 'upstream', 'a layer of unknown media type', {
    expected: Object.keys(compressions).join(', '),
    found: layer.mediaType,
  });
}
