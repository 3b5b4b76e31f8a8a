import {
  formatBytes,
  formatImageRef,
  isLoopback,
  labelNames,
  parseImageConfig,
  parseImageRef,
  parseIndex,
  parseManifest,
  type Descriptor,
  type Digest,
  type ImageConfig,
} from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import { openLayout, type Layout } from '../../oci/layout/index.ts';
import type { BlobSource, PushReport, Registry, TagMove } from '../../registry/index.ts';

export interface PublishOptions {
  /** Absolute path of the layout. */
  readonly layout: string;
  /** `host/repository`. */
  readonly repository: string;
  readonly tags: readonly string[];
  /** Tag by which the same inputs are found again; an image that expires never gets it. */
  readonly inputTag?: string | undefined;
  readonly registry: Registry;
  /** Refuses to go on when it throws; runs before a single byte leaves. Absent: the gate was passed elsewhere. */
  readonly gate?: (() => Promise<void>) | undefined;
  /** Where to mount base blobs from, `host/repository`, when it is the same registry. */
  readonly mountFrom?: readonly string[] | undefined;
}

export interface Published {
  readonly reference: string;
  readonly digest: Digest;
  readonly push: PushReport;
  readonly tags: readonly TagMove[];
}

/**
 * The registry holds what it receives against the digest that it is told, and refuses anything else
 * (distribution-spec, "Pushing blobs"): hashing the same bytes here too would take as long as sending them.
 */
const layoutSource = (layout: Layout): BlobSource => ({
  open: (blob, start) => layout.openRaw(blob, start),
  file: (blob) => layout.file(blob),
  manifest: (descriptor) => layout.read(descriptor),
});

async function configs(layout: Layout, root: Descriptor): Promise<ImageConfig[]> {
  const children = parseIndex(await layout.read(root)).manifests;
  return await Promise.all(
    children.map(async (child) => {
      const { config } = parseManifest(await layout.read(child));
      return parseImageConfig(await layout.read(config));
    }),
  );
}

/** Lab images are made of stand-ins: outside this machine they would be taken for the real thing. */
function refuseLab(found: readonly ImageConfig[], registry: string): void {
  if (isLoopback(registry)) return;
  for (const { config } of found) {
    if (config?.Labels?.[labelNames.lab] === undefined) continue;
    throw new AppError('publish/lab-image', 'usage', 'a lab image may only go to a registry on loopback', {
      expected: '127.0.0.1, localhost or ::1',
      found: registry,
      hint: 'build the real image: make build-runner',
    });
  }
}

/** A revision that ends in -dirty names no commit that anybody could look at. */
function refuseDirty(found: readonly ImageConfig[], registry: string): void {
  if (isLoopback(registry)) return;
  for (const { config } of found) {
    const revision = config?.Labels?.[labelNames.revision];
    if (revision !== '' && revision?.endsWith('-dirty') === false) continue;
    throw new AppError('publish/revision', 'usage', 'the image names no commit', {
      expected: `a commit in the label ${labelNames.revision}`,
      found: revision === undefined || revision === '' ? 'no revision' : revision,
      hint: 'commit everything, then build and publish again',
    });
  }
}

/** Found by its inputs, an expiring image would be taken for the release, and then be gone. */
function lastingTag(found: readonly ImageConfig[], tag: string | undefined): readonly string[] {
  const expires = found.some(({ config }) => config?.Labels?.[labelNames.expires] !== undefined);
  return tag === undefined || expires ? [] : [tag];
}

/**
 * publishLayout lets a layout out: gate, blobs and manifests by digest, the index by digest, and only then
 * the tags. What is there already is skipped; a broken run is continued by the next one.
 */
export async function publishLayout(host: Host, options: PublishOptions): Promise<Published> {
  const { registry, repository } = parseImageRef(options.repository);
  const layout = await openLayout(host, options.layout);
  const root = await layout.root();
  if (root === undefined) {
    throw new AppError('publish/empty', 'usage', `${options.layout} holds no image`, { hint: 'runner-image build' });
  }
  const found = await configs(layout, root);
  refuseLab(found, registry);
  refuseDirty(found, registry);
  await options.gate?.();
  const task = host.story.task(`pushing to ${registry}/${repository}`);
  try {
    const push = await options.registry.push({ registry, repository }, root, layoutSource(layout), {
      mountFrom: options.mountFrom,
      onBlob: (blob, how) => {
        if (how !== 'present') task.step(`${how} ${blob.digest.slice(0, 19)}… ${formatBytes(blob.size)}`);
      },
    });
    task.done(
      `${push.blobs.uploaded} blobs uploaded, ${push.blobs.mounted} mounted, ${push.blobs.present} there already`,
    );
    const tags: TagMove[] = [];
    for (const tag of [...options.tags, ...lastingTag(found, options.inputTag)])
      tags.push(await options.registry.moveTag({ registry, repository, tag }, root.digest));
    return {
      reference: formatImageRef({ registry, repository, digest: root.digest }),
      digest: root.digest,
      push,
      tags,
    };
  } catch (error) {
    task.fail();
    throw error;
  }
}
