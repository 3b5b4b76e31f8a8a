import {
  fromOciPlatform,
  labelNames,
  parseImageConfig,
  parseIndex,
  parseManifest,
  type Descriptor,
  type Digest,
  type ImageConfig,
  type Index,
  type Plan,
  type Platform,
} from '../core/index.ts';
import { AppError } from '../errors/index.ts';
import { takeLock, type FileLock, type Host } from '../host/index.ts';
import { openLayout, type ImageSource, type Layout } from '../oci/index.ts';

/** BuiltLayout is the one image that a layout holds: opened once, and handed from step to step. */
export interface BuiltLayout {
  readonly layout: Layout;
  /** Absolute path of the layout. */
  readonly directory: string;
  /** Of the index. */
  readonly root: Descriptor;
  readonly digest: Digest;
  readonly index: Index;
  readonly platforms: readonly { readonly platform: Platform; readonly manifest: Digest }[];
}

/** lockLayout lets one command at a time write a layout. Throws `oci/locked`. */
export const lockLayout = (host: Host, directory: string): Promise<FileLock> =>
  takeLock(host, `${directory}.lock`, { room: 'oci', holder: 'build', doing: `writing ${directory}` });

/** openBuilt opens what `build` or `join` made. Throws `layout/empty` and `layout/platform`. */
export async function openBuilt(host: Host, directory: string): Promise<BuiltLayout> {
  const layout = await openLayout(host, directory);
  const root = (await layout.index())?.manifests[0];
  if (root === undefined)
    throw new AppError('layout/empty', 'usage', 'the layout holds no image', {
      where: { file: directory },
      hint: 'runner-image build',
    });
  const index = parseIndex(await layout.read(root));
  const platforms = index.manifests.map(({ digest: manifest, platform: stated }) => {
    const platform = fromOciPlatform(stated);
    if (platform !== undefined) return { platform, manifest };
    throw new AppError('layout/platform', 'usage', 'the index holds something else than images of this project', {
      expected: 'images of linux/amd64 and linux/arm64',
      found: `${manifest} of ${stated === undefined ? 'no platform' : `${stated.os}/${stated.architecture}`}`,
      where: { file: directory },
    });
  });
  return { layout, directory, root, digest: root.digest, index, platforms };
}

/** builtSource lets a check read the image where it lies. */
export function builtSource({ layout, directory, root }: BuiltLayout): ImageSource {
  return {
    name: `oci:${directory}`,
    root: async () => root,
    open: (descriptor) => layout.openRaw(descriptor),
    file: (descriptor) => layout.path(descriptor),
    close: async () => undefined,
  };
}

/** configsOf reads the config of every platform's image. */
export async function configsOf({ layout, index }: BuiltLayout): Promise<readonly ImageConfig[]> {
  return await Promise.all(
    index.manifests.map(async (child) => {
      const { config } = parseManifest(await layout.read(child));
      return parseImageConfig(await layout.read(config));
    }),
  );
}

/** requireInputs throws `evidence/other-inputs` when the image was not built from the plan. */
export function requireInputs({ index, directory }: BuiltLayout, plan: Plan): void {
  const inputs = index.annotations?.[labelNames.inputDigest];
  if (inputs === plan.inputDigest) return;
  throw new AppError('evidence/other-inputs', 'usage', 'the layout was not built from what the project says now', {
    expected: plan.inputDigest,
    found: inputs ?? `no annotation ${labelNames.inputDigest}`,
    where: { file: directory },
    hint: `runner-image build ${plan.variant}, or check out the commit that built it`,
  });
}

/**
 * requirePlatforms refuses an image that was built for fewer platforms than the plan has, as a trial is: under a
 * tag it would take the image away from the users of the others. Throws `publish/incomplete` (exit 2).
 */
export function requirePlatforms({ platforms, directory }: BuiltLayout, plan: Plan): void {
  const there = platforms.map(({ platform }) => platform);
  const missing = plan.platforms.filter((platform) => !there.includes(platform));
  if (missing.length === 0) return;
  throw new AppError('publish/incomplete', 'usage', `the layout has no ${missing.join(', ')}`, {
    expected: plan.platforms.join(', '),
    found: there.join(', '),
    where: { file: directory },
    hint: `runner-image build ${plan.variant}; for a trial say which platforms are meant: --platform ${there.join(',')}`,
  });
}
