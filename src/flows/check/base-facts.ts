import {
  isDigest,
  isIndexType,
  isOfPlatform,
  labelNames,
  maxManifestBytes,
  parseImageConfig,
  parseImageRef,
  parseIndex,
  parseManifest,
  type ImageRef,
  type ImagePlatform,
  type Picture,
} from '../../core/index.ts';
import type { BaseFacts } from '../../contract/index.ts';
import type { Host } from '../../host/index.ts';
import type { Registry } from '../../registry/index.ts';
import { readSmall } from '../blob.ts';

/** baseReference returns the base that an image names in its own labels, by digest; undefined when it names none. */
export function baseReference(picture: Picture): ImageRef | undefined {
  const labels = picture.config.config?.Labels ?? {};
  const name = labels[labelNames.baseName];
  const digest = labels[labelNames.baseDigest];
  if (name === undefined || digest === undefined || !isDigest(digest)) return undefined;
  const { registry, repository } = parseImageRef(name);
  return { registry, repository, digest };
}

async function factsOf(registry: Registry, ref: ImageRef, platform: ImagePlatform): Promise<BaseFacts> {
  const repo = { registry: ref.registry, repository: ref.repository };
  let fetched = await registry.manifest(ref);
  const { digest } = fetched.descriptor;
  if (isIndexType(fetched.descriptor.mediaType)) {
    const child = parseIndex(fetched.bytes).manifests.find(
      (found) => found.platform !== undefined && isOfPlatform(found.platform, platform),
    );
    if (child === undefined) throw new Error(`the base has no ${platform}`);
    fetched = await registry.manifest({ ...repo, digest: child.digest });
  }
  const config = await readSmall(registry, repo, parseManifest(fetched.bytes).config, maxManifestBytes);
  return {
    reference: `${ref.registry}/${ref.repository}@${digest}`,
    digest,
    config: parseImageConfig(config),
  };
}

/**
 * baseFacts fetches what the rules compare with. A base that cannot be had is a warning, and the
 * rules that need it report themselves as undecided: never as passed.
 */
export async function baseFacts(
  host: Host,
  registry: Registry,
  pictures: readonly Picture[],
  given?: ImageRef,
): Promise<Partial<Record<ImagePlatform, BaseFacts>>> {
  const facts: Partial<Record<ImagePlatform, BaseFacts>> = {};
  for (const picture of pictures) {
    const ref = given ?? baseReference(picture);
    if (ref === undefined) continue;
    try {
      facts[picture.platform] = await factsOf(registry, ref, picture.platform);
    } catch (error) {
      if (given !== undefined) throw error;
      host.progress.warn(
        `${picture.platform}: the base could not be fetched (${error instanceof Error ? error.message : String(error)})`,
      );
    }
  }
  return facts;
}
