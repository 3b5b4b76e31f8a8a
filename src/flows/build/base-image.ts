import {
  fromOciPlatform,
  isIndexType,
  parseImageConfig,
  parseImageRef,
  parseIndex,
  parseManifest,
  type Digest,
  type ImagePin,
  type ImageRef,
  type Manifest,
  type Plan,
  type Platform,
} from '../../core/index.ts';
import { AppError, exitCodes, throwAll } from '../../errors/index.ts';
import type { BaseImage } from '../../oci/index.ts';
import type { Registry } from '../../registry/index.ts';
import { readSmall } from '../blob.ts';

const maxConfigBytes = 4 * 1024 * 1024;

const elsewhere = '`make demo` runs the whole pipeline without upstreams';

/**
 * notGiven says which upstream did not give its image, why, and what works without it. What is wrong on
 * this side (a credential helper, a malformed login file, Ctrl-C) is no upstream's failure, and stays itself.
 */
function notGiven(pin: ImagePin, cause: unknown): AppError {
  if (!(cause instanceof AppError) || cause.exit !== exitCodes.upstream) throw cause;
  const { registry } = parseImageRef(pin.repository);
  const silent = cause.code === 'registry/unreachable';
  const { found, hint = 'check the registry' } = cause.facts;
  return new AppError(
    silent ? 'flows/upstream-unreachable' : 'flows/upstream-refused',
    'upstream',
    `cannot get ${pin.name} from ${registry}`,
    {
      expected: `${pin.repository}@${pin.digest}`,
      found,
      cause,
      hint: `${silent ? 'check the network' : hint}, or give a mirror (--mirrors FILE); ${elsewhere}`,
    },
  );
}

/**
 * reachImages asks every registry for the images that the plan pins, all at once, before an engine starts.
 * Throws one `flows/upstream-unreachable` for each that does not answer, and one `flows/upstream-refused`
 * for each that answers something else.
 */
export async function reachImages(registry: Registry, plan: Plan): Promise<void> {
  const pins = plan.pins.filter((pin): pin is ImagePin => pin.kind === 'image');
  const refs = pins.map((pin): ImageRef => ({ ...parseImageRef(pin.repository), digest: pin.digest }));
  const answers = await Promise.allSettled(refs.map((ref) => registry.resolve(ref)));
  throwAll(
    answers.flatMap((answer, index) => {
      const pin = pins[index];
      return answer.status === 'rejected' && pin !== undefined ? [notGiven(pin, answer.reason)] : [];
    }),
  );
}

async function manifestFor(
  registry: Registry,
  plan: Plan,
  platform: Platform,
): Promise<{ digest: Digest; manifest: Manifest }> {
  const ref = { ...parseImageRef(plan.base.reference), digest: plan.base.digest };
  const root = await registry.manifest(ref);
  if (!isIndexType(root.descriptor.mediaType))
    return { digest: root.descriptor.digest, manifest: parseManifest(root.bytes) };
  const child = parseIndex(root.bytes).manifests.find((found) => fromOciPlatform(found.platform) === platform);
  if (child === undefined) {
    throw new AppError('flows/base-platform', 'upstream', `the base image has no ${platform}`, {
      expected: `a manifest for ${platform} in ${plan.base.reference}`,
      hint: 'pin a base that has every platform of image.yaml',
    });
  }
  const recorded = plan.pins.find((pin) => pin.name === plan.base.pin);
  const expected = recorded?.kind === 'image' ? recorded.platforms[platform] : undefined;
  if (expected !== undefined && expected !== child.digest) {
    throw new AppError('flows/base-platform', 'upstream', `the base's ${platform} manifest is not the pinned one`, {
      expected,
      found: child.digest,
    });
  }
  const fetched = await registry.manifest({ registry: ref.registry, repository: ref.repository, digest: child.digest });
  return { digest: child.digest, manifest: parseManifest(fetched.bytes) };
}

/** baseImage fetches what proves the base on one platform: its manifest and config; layers are opened later. */
export async function baseImage(registry: Registry, plan: Plan, platform: Platform): Promise<BaseImage> {
  const repo = parseImageRef(plan.base.reference);
  const { digest, manifest } = await manifestFor(registry, plan, platform);
  const config = parseImageConfig(await readSmall(registry, repo, manifest.config, maxConfigBytes));
  return {
    digest: plan.base.digest,
    manifestDigest: digest,
    manifest,
    config,
    open: async (descriptor) => registry.blob(repo, descriptor),
  };
}
