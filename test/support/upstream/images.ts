import { digestOf, type Digest } from '../../../src/core/index.ts';
import type { MemoryRegistry } from '../registries/memory-registry.ts';

const indexType = 'application/vnd.oci.image.index.v1+json';
const manifestType = 'application/vnd.oci.image.manifest.v1+json';

export interface PublishedIndex {
  readonly digest: Digest;
  readonly platforms: Readonly<Record<string, Digest>>;
}

/** publishIndex puts an index under a tag; other `content` gives other bytes. Children are named, not stored. */
export function publishIndex(
  registry: MemoryRegistry,
  repository: string,
  tag: string,
  content = tag,
  architectures: readonly string[] = ['amd64', 'arm64'],
  annotations?: Readonly<Record<string, string>>,
): PublishedIndex {
  const platforms: Record<string, Digest> = {};
  const manifests = architectures.map((architecture) => {
    const digest = digestOf(`${repository} ${content} ${architecture}`);
    platforms[`linux/${architecture}`] = digest;
    return { mediaType: manifestType, digest, size: 500, platform: { os: 'linux', architecture } };
  });
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests, annotations }));
  const digest = digestOf(bytes);
  const stored = registry.store.repository(repository);
  stored.manifests.set(digest, { bytes, mediaType: indexType });
  stored.tags.set(tag, digest);
  return { digest, platforms };
}
