import {
  formatImageRef,
  isIndexType,
  labelNames,
  maxManifestBytes,
  parseImageConfig,
  type Descriptor,
  type Digest,
  type ImageRef,
} from '../../core/index.ts';
import { AppError, shorten } from '../../errors/index.ts';
import type { Fetched, Registry, Repository } from '../../registry/index.ts';
import { readSmall } from '../blob.ts';

/** TreeNode is the index or one platform's image: each is pulled alone, so each must be proven alone. */
export interface TreeNode {
  readonly descriptor: Descriptor;
  readonly role: 'index' | 'image';
  /** `linux/arm64`; absent for an index. */
  readonly platform?: string | undefined;
  readonly fetched: Fetched;
}

export interface Tree {
  readonly repo: Repository;
  /** What the reference named when it was resolved; everything after that is read by digest. */
  readonly digest: Digest;
  /** The root first. */
  readonly nodes: readonly TreeNode[];
}

const maxDepth = 4;
const maxNodes = 64;

function platformOf({ platform }: Descriptor): string | undefined {
  if (platform === undefined) return undefined;
  const { os, architecture, variant } = platform;
  // What an index says: no platform has a longer name.
  return shorten([os, architecture, variant].filter((part) => part !== undefined).join('/'), 100);
}

/** nameOf is how a node is called in what people read. */
export function nameOf(node: Pick<TreeNode, 'role' | 'platform'>): string {
  return node.role === 'index' ? 'index' : (node.platform ?? 'image');
}

/** readTree resolves a reference once, then reads the index and its images by digest. */
export async function readTree(registry: Registry, ref: ImageRef): Promise<Tree> {
  const { registry: host, repository } = ref;
  const repo = { registry: host, repository };
  const digest = ref.digest ?? (await registry.resolve(ref)).digest;
  let known = 1;
  const visit = async (at: Digest, platform: string | undefined, depth: number): Promise<TreeNode[]> => {
    const fetched = await registry.manifest({ ...repo, digest: at });
    const { children } = fetched.node;
    // Counted before any of them is asked for.
    known += children.length;
    if (known > maxNodes || (children.length > 0 && depth === maxDepth))
      throw new AppError('trust/tree', 'upstream', `${formatImageRef(ref)} is too large to be a runner image`, {
        expected: `at most ${maxNodes} manifests, ${maxDepth} deep`,
      });
    const index = isIndexType(fetched.descriptor.mediaType);
    const node: TreeNode = {
      descriptor: fetched.descriptor,
      role: index ? 'index' : 'image',
      platform,
      fetched,
    };
    const below = await Promise.all(children.map((child) => visit(child.digest, platformOf(child), depth + 1)));
    return [node, ...below.flat()];
  };
  return { repo, digest, nodes: await visit(digest, undefined, 0) };
}

type Labels = Readonly<Record<string, string>>;
const labelsRead = new WeakMap<TreeNode, Promise<Labels>>();

/** labelsOf reads the labels of one image, once; the annotations of an index. */
export function labelsOf(registry: Registry, tree: Tree, node: TreeNode): Promise<Labels> {
  const known = labelsRead.get(node) ?? readLabels(registry, tree, node);
  labelsRead.set(node, known);
  return known;
}

async function readLabels(registry: Registry, tree: Tree, node: TreeNode): Promise<Labels> {
  const [config] = node.fetched.node.blobs;
  if (node.role === 'index' || config === undefined) return node.fetched.node.annotations;
  const bytes = await readSmall(registry, tree.repo, config, maxManifestBytes);
  return parseImageConfig(bytes).config?.Labels ?? {};
}

/**
 * refuseExpiring throws `trust/expiring` for an image that Quay will delete: a referrer would hold it
 * there for ever, and a signature would vouch for what is not meant to last.
 */
export async function refuseExpiring(registry: Registry, tree: Tree): Promise<void> {
  const all = await Promise.all(tree.nodes.map((node) => labelsOf(registry, tree, node)));
  const found = tree.nodes.flatMap((node, at) => {
    const expires = all[at]?.[labelNames.expires];
    return expires === undefined ? [] : [`${nameOf(node)} ${node.descriptor.digest}: ${expires}`];
  });
  if (found.length === 0) return;
  throw new AppError('trust/expiring', 'usage', 'an image that expires is not signed', {
    expected: `an image without the label ${labelNames.expires}`,
    found: found.join('; '),
    hint: 'build it again without --expires-after',
  });
}
