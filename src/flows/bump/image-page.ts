import { AppError } from '../../errors/index.ts';
import { parseImageRef } from '../../core/image-ref.ts';
import type { Digest, ImagePin } from '../../core/index.ts';
import type { Fetched } from '../../registry/index.ts';
import { pageOfImage } from './links.ts';
import type { Sources } from './resolver.ts';

/** Upper limit of an image's configuration, in bytes. */
const maxConfigBytes = 4 * 1024 * 1024;

/** fetchOnce gives a manifest or index by digest, however many ask. */
export function fetchOnce(sources: Sources, pin: ImagePin, digest: Digest): Promise<Fetched> {
  return sources.once(`manifest ${pin.repository}@${digest}`, () =>
    sources.registry.manifest({ ...parseImageRef(pin.repository), digest }),
  );
}

async function labelsOf(sources: Sources, pin: ImagePin, image: Digest): Promise<Readonly<Record<string, string>>> {
  const { node } = await fetchOnce(sources, pin, image);
  const [config] = node.blobs;
  if (config === undefined || config.size > maxConfigBytes) return {};
  const parts: Buffer[] = [];
  for await (const part of sources.registry.blob(parseImageRef(pin.repository), config)) parts.push(part as Buffer);
  const { parseImageConfig } = await import('../../core/oci.ts');
  return parseImageConfig(Buffer.concat(parts)).config?.Labels ?? {};
}

/**
 * pageOf gives the page that the publisher names for an image: in the index's annotations, in those of one image, or
 * in its labels. It is for the reviewer alone, so what cannot be read is no page, and no obstacle.
 */
export async function pageOf(
  sources: Sources,
  pin: ImagePin,
  index: Digest,
  image: Digest,
): Promise<string | undefined> {
  try {
    const { node } = await fetchOnce(sources, pin, index);
    const own = pageOfImage(node.annotations) ?? pageOfImage((await fetchOnce(sources, pin, image)).node.annotations);
    return own ?? pageOfImage(await labelsOf(sources, pin, image));
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}
