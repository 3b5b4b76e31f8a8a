import { formatImageRef, parseImageRef } from '../../src/core/index.ts';
import { openBuilt } from '../../src/flows/built.ts';
import { moveTags, pushImage } from '../../src/flows/publish/index.ts';
import type { Host } from '../../src/host/index.ts';
import type { Registry } from '../../src/registry/index.ts';

export interface Pushing {
  readonly layout: string;
  /** `host/repository`. */
  readonly repository: string;
  readonly registry: Registry;
  readonly tags: readonly string[];
}

/** pushed brings a layout into a registry, for tests that are about something else than the gate. */
export async function pushed(host: Host, { layout, repository: name, registry, tags }: Pushing) {
  const image = await openBuilt(host, layout);
  const { registry: at, repository } = parseImageRef(name);
  const to = { registry: at, repository };
  await pushImage(host, registry, to, image);
  const moves = await moveTags(registry, to, image, tags);
  return { reference: formatImageRef({ ...to, digest: image.digest }), digest: image.digest, tags: moves };
}
