import { formatBytes, type ImageRef } from '../../core/index.ts';
import type { Host } from '../../host/index.ts';
import type { Layout } from '../../oci/index.ts';
import type { BlobSource, PushReport, Registry, TagMove } from '../../registry/index.ts';
import type { BuiltLayout } from '../built.ts';

export type Repository = Pick<ImageRef, 'registry' | 'repository'>;

/**
 * The registry compares what it receives with the digest in the request, and refuses anything else
 * (distribution-spec, "Pushing blobs"): hashing the same bytes here too would take as long as sending them.
 */
const layoutSource = (layout: Layout): BlobSource => ({
  open: (blob, start) => layout.openRaw(blob, start),
  file: (blob) => layout.file(blob),
  manifest: (descriptor) => layout.read(descriptor),
});

/** pushImage pushes blobs and manifests by digest, the index last. What is there already is skipped. */
export async function pushImage(
  host: Host,
  registry: Registry,
  to: Repository,
  { layout, root }: BuiltLayout,
): Promise<PushReport> {
  const task = host.progress.task(`pushing to ${to.registry}/${to.repository}`);
  try {
    const push = await registry.push(to, root, layoutSource(layout), {
      onBlob: (blob, how) => {
        if (how !== 'present') task.step(`${how} ${blob.digest.slice(0, 19)}… ${formatBytes(blob.size)}`);
      },
    });
    const { uploaded, mounted, present } = push.blobs;
    task.done(`${uploaded} blobs uploaded, ${mounted} mounted, ${present} there already`);
    return push;
  } catch (error) {
    task.fail();
    throw error;
  }
}

/** moveTags moves tags one after the other, in this order. */
export async function moveTags(
  registry: Registry,
  to: Repository,
  { digest }: Pick<BuiltLayout, 'digest'>,
  tags: readonly string[],
): Promise<readonly TagMove[]> {
  const moves: TagMove[] = [];
  for (const tag of tags) moves.push(await registry.moveTag({ ...to, tag }, digest));
  return moves;
}
