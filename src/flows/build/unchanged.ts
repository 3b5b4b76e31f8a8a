import { join } from 'node:path';
import {
  formatImageRef,
  fromOciPlatform,
  labelNames,
  parseImageRef,
  parseIndex,
  parseManifest,
  type Descriptor,
  type Digest,
  type Index,
  type Plan,
} from '../../core/index.ts';
import type { Host } from '../../host/index.ts';
import { openLayout, type Layout } from '../../oci/index.ts';
import type { Registry } from '../../registry/index.ts';
import { inputTag } from './names.ts';

/**
 * holdsPlan: the index says that it was built from the plan's inputs, for at least its platforms. One that
 * expires at another time, or at all when it should stay, is not the same thing.
 */
function holdsPlan(index: Index, plan: Plan, expires?: string): boolean {
  if (index.annotations?.[labelNames.inputDigest] !== plan.inputDigest) return false;
  if (index.annotations[labelNames.expires] !== expires) return false;
  const built = new Set(index.manifests.map((found) => fromOciPlatform(found.platform)));
  return plan.platforms.every((platform) => built.has(platform));
}

/** isWhole: every blob is there with its size. Their bytes were verified when they were written. */
async function isWhole(layout: Layout, manifests: readonly Descriptor[]): Promise<boolean> {
  for (const descriptor of manifests) {
    if (!(await layout.has(descriptor))) return false;
    const { config, layers } = parseManifest(await layout.read(descriptor));
    const present = await Promise.all([config, ...layers].map((blob) => layout.has(blob)));
    if (present.includes(false)) return false;
  }
  return true;
}

/** builtLayout returns the index that a layout already holds for the plan; undefined when it must be built. */
export async function builtLayout(
  host: Host,
  directory: string,
  plan: Plan,
  expires?: string,
): Promise<Descriptor | undefined> {
  if ((await host.files.stat(join(directory, 'index.json'))) === undefined) return undefined;
  const layout = await openLayout(host, directory);
  const root = await layout.root();
  if (root === undefined || !(await layout.has(root))) return undefined;
  const index = parseIndex(await layout.read(root));
  return holdsPlan(index, plan, expires) && (await isWhole(layout, index.manifests)) ? root : undefined;
}

/**
 * builtInRegistry looks for the plan's inputs among what was published. A registry that cannot be asked
 * is no reason not to build: it is a warning and counts as "not there".
 */
export async function builtInRegistry(
  host: Host,
  registry: Registry,
  repository: string,
  plan: Plan,
): Promise<{ readonly digest: Digest; readonly reference: string } | undefined> {
  const ref = { ...parseImageRef(repository), tag: inputTag(plan) };
  try {
    if ((await registry.tagDigest(ref)) === undefined) return undefined;
    const { bytes, descriptor } = await registry.manifest(ref);
    if (!holdsPlan(parseIndex(bytes), plan)) return undefined;
    const found = { registry: ref.registry, repository: ref.repository, digest: descriptor.digest };
    return { digest: descriptor.digest, reference: formatImageRef(found) };
  } catch (error) {
    host.progress.warn(
      `could not ask ${ref.registry} for an earlier build: ${error instanceof Error ? error.message : String(error)}`,
    );
    return undefined;
  }
}
